package kafka

// consumer is how far one consumer has come, wherever it keeps its offsets.
type consumer struct {
	group  string
	kind   string // classic, consumer or share; "" where offsets are kept outside Kafka
	source string // kafka or spark-checkpoint
	topics []consumed
}

// consumed is what a consumer has read of one topic.
type consumed struct {
	topic   *topic
	commits []commit // by partition
}

// commit is the next offset that a consumer will read in one partition.
type commit struct {
	partition int // index into topic.partitions
	offset    int64
}

// The values of label source.
const (
	sourceKafka      = "kafka"
	sourceCheckpoint = "spark-checkpoint"
)
