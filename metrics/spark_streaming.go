package metrics

// The values of label state of [SparkStreamingState].
const (
	QueryRunning    = "running"    // it commits batches, or has not had the time to
	QueryIdle       = "idle"       // nothing is there to be read
	QueryStalled    = "stalled"    // records wait, and no batch was committed for too long
	QueryTerminated = "terminated" // its driver said so, or is gone
)

// QueryStates returns the values of label state of [SparkStreamingState].
func QueryStates() []string {
	return []string{QueryRunning, QueryIdle, QueryStalled, QueryTerminated}
}

// sparkStreaming are the metrics of Structured Streaming queries.
func sparkStreaming() []Metric {
	return []Metric{
		SparkStreamingActive(), SparkStreamingState(), SparkStreamingInfo(), SparkStreamingSource(),
		SparkStreamingBatchID(), SparkStreamingBatchPhase(), SparkStreamingBatchDuration(), SparkStreamingTrigger(),
		SparkStreamingInputRows(), SparkStreamingOutputRows(), SparkStreamingInputRate(), SparkStreamingProcessedRate(),
		SparkStreamingWatermark(), SparkStreamingWatermarkDelay(), SparkStreamingLateRows(),
		SparkStreamingStateRows(), SparkStreamingStateBytes(),
		SparkStreamingLastCommit(), SparkStreamingUncommittedAge(), SparkStreamingResets(),
		SparkStreamingObserved(), SparkStreamingObservedLast(), SparkStreamingPushDropped(),
		SparkStreamingLag(), SparkStreamingLagSeconds(), SparkStreamingLagMaxPartition(), SparkStreamingLagAtTrigger(),
		SparkStreamingHeadroom(), SparkStreamingLost(),
		SparkStreamingTableEpoch(), SparkStreamingTableCommitDuration(), SparkStreamingTableNoteDelay(),
		SparkStreamingTableMismatch(),
	}
}

func ofQuery(name, help, unit string, kind Kind, more ...string) Metric {
	return Metric{
		Name: "spark_streaming_" + name, Help: help, Unit: unit, Kind: kind,
		Labels: append([]string{"app", "query"}, more...),
	}
}

// batchBuckets are the classic buckets of durations of a batch.
func batchBuckets() []float64 {
	return []float64{.25, .5, 1, 2.5, 5, 10, 30, 60, 300}
}

// SparkStreamingActive says whether a query is at work.
func SparkStreamingActive() Metric {
	return ofQuery("query_active", "1 unless the query is terminated", None, Gauge)
}

// SparkStreamingState is 1 for the state of a query, 0 for the others.
func SparkStreamingState() Metric {
	return ofQuery("query_state", "1 for the state of the query: running, idle (nothing to read), "+
		"stalled (records wait and no batch was committed for too long) or terminated", None, Gauge, "state")
}

// SparkStreamingInfo is the one series that has ids in its labels.
func SparkStreamingInfo() Metric {
	return ofQuery("query_info", "Always 1; the labels say which query this is now",
		None, Gauge, "name", "query_id", "run_id", "checkpoint")
}

// SparkStreamingSource says where the values of a query came from.
func SparkStreamingSource() Metric {
	return ofQuery("source", "1 when this source served the query's values, 0 when it was asked and did not: "+
		"progress (pushed), checkpoint, gauges (the driver's), kafka or table", None, Gauge, "source")
}

// SparkStreamingBatchID is the last committed batch.
func SparkStreamingBatchID() Metric {
	return ofQuery("batch_id", "Number of the last committed batch", None, Gauge)
}

// SparkStreamingBatchPhase is the last batch, phase by phase.
func SparkStreamingBatchPhase() Metric {
	return ofQuery("batch_phase_seconds", "Duration of the last batch by phase; the sum is the whole batch. "+
		"Pushed progress has Spark's own phases, a checkpoint has plan and process", Seconds, Gauge, "phase")
}

// SparkStreamingBatchDuration is the duration of every batch.
func SparkStreamingBatchDuration() Metric {
	m := ofQuery("batch_duration_seconds", "Duration of committed batches: as pushed, "+
		"else from the writing of a batch's plan to the writing of its commit", Seconds, Histogram)
	m.Buckets = batchBuckets()
	return m
}

// SparkStreamingTrigger is the time between two batches, as learned.
func SparkStreamingTrigger() Metric {
	return ofQuery("trigger_interval_seconds", "Time between two batches, learned from the last ones", Seconds, Gauge)
}

// SparkStreamingInputRows counts what was read.
func SparkStreamingInputRows() Metric {
	return ofQuery("input_rows_total", "Rows read by committed batches, by their Kafka offsets where there are some: "+
		"a batch that is run again counts once", None, Counter)
}

// SparkStreamingOutputRows counts what was written.
func SparkStreamingOutputRows() Metric {
	return ofQuery("output_rows_total", "Rows written by committed batches, as the table says, else as pushed",
		None, Counter)
}

// SparkStreamingInputRate is how fast rows arrived.
func SparkStreamingInputRate() Metric {
	return ofQuery("input_rows_per_second", "Rows that arrived per second before the last batch", None, Gauge)
}

// SparkStreamingProcessedRate is how fast rows were processed.
func SparkStreamingProcessedRate() Metric {
	return ofQuery("processed_rows_per_second", "Rows per second of the last batch's duration", None, Gauge)
}

// SparkStreamingWatermark is the event time up to which the query waits no more.
func SparkStreamingWatermark() Metric {
	return ofQuery("watermark_timestamp_seconds", "Event time watermark of the last batch", Seconds, Gauge)
}

// SparkStreamingWatermarkDelay is how far the watermark is behind.
func SparkStreamingWatermarkDelay() Metric {
	return ofQuery("watermark_delay_seconds", "Time from the watermark to the beginning of the last batch", Seconds, Gauge)
}

// SparkStreamingLateRows counts rows that came after the watermark.
func SparkStreamingLateRows() Metric {
	return ofQuery("late_rows_dropped_total", "Rows dropped because they came after the watermark", None, Counter)
}

// SparkStreamingStateRows is the size of a query's state.
func SparkStreamingStateRows() Metric {
	return ofQuery("state_rows", "Rows in the state of an operator; operator is all where only the sum is known",
		None, Gauge, "operator")
}

// SparkStreamingStateBytes is the size of a query's state in memory.
func SparkStreamingStateBytes() Metric {
	return ofQuery("state_bytes", "Memory that the state of an operator uses; operator is all where only the sum is known",
		Bytes, Gauge, "operator")
}

// SparkStreamingLastCommit is the time of the last commit.
func SparkStreamingLastCommit() Metric {
	return ofQuery("last_commit_timestamp_seconds", "Time at which the last batch was committed, by the store's clock; "+
		"time() minus it is its age", Seconds, Gauge)
}

// SparkStreamingUncommittedAge is how long a batch is under way.
func SparkStreamingUncommittedAge() Metric {
	return ofQuery("uncommitted_batch_age_seconds", "Time since the batch was planned that is not committed, 0 for none",
		Seconds, Gauge)
}

// SparkStreamingResets counts wiped checkpoints.
func SparkStreamingResets() Metric {
	return ofQuery("checkpoint_resets_total", "Times at which the checkpoint came to belong to a new query: "+
		"it was wiped, and everything is read again", None, Counter)
}

// SparkStreamingObserved sums up what observe() counts.
func SparkStreamingObserved() Metric {
	return ofQuery("observed_total", "Sum over batches of an observed metric (Dataset.observe), without negative values",
		None, Counter, "name")
}

// SparkStreamingObservedLast is what observe() saw last.
func SparkStreamingObservedLast() Metric {
	return ofQuery("observed_value", "Observed metric (Dataset.observe) of the last batch", None, Gauge, "name")
}

// SparkStreamingPushDropped counts what a job's listener threw away.
func SparkStreamingPushDropped() Metric {
	return Metric{
		Name: "spark_streaming_push_dropped_total", Kind: Counter, Labels: []string{"app"},
		Help: "Events that the job's progress listener dropped because they could not be delivered",
	}
}

// SparkStreamingLag is the distance to the end of the topic.
func SparkStreamingLag() Metric {
	return ofQuery("kafka_lag_records", "Records of the topic after the last committed batch, by live end offsets",
		Records, Gauge, "topic")
}

// SparkStreamingLagSeconds is the age of the oldest record that waits.
func SparkStreamingLagSeconds() Metric {
	return ofQuery("kafka_lag_seconds", "Age of the oldest record of the topic after the last committed batch, 0 for none",
		Seconds, Gauge, "topic")
}

// SparkStreamingLagMaxPartition is the lag of the worst partition.
func SparkStreamingLagMaxPartition() Metric {
	return ofQuery("kafka_lag_max_partition_records", "Records after the last committed batch in the partition with most",
		Records, Gauge, "topic")
}

// SparkStreamingLagAtTrigger is what Spark says of itself.
func SparkStreamingLagAtTrigger() Metric {
	return ofQuery("kafka_lag_at_trigger_records", "Records that the last batch left behind, as Spark saw it when the "+
		"batch began: 0 unless batches are limited", Records, Gauge, "topic")
}

// SparkStreamingHeadroom is the time until records are lost.
func SparkStreamingHeadroom() Metric {
	return ofQuery("kafka_headroom_seconds", "Time until the topic's retention reaches the committed offset, and "+
		"records that were never read are lost", Seconds, Gauge, "topic")
}

// SparkStreamingLost is what was lost.
func SparkStreamingLost() Metric {
	return ofQuery("kafka_lost_records", "Records after the last committed batch that retention has removed",
		Records, Gauge, "topic")
}

// SparkStreamingTableEpoch is how far the table has come.
func SparkStreamingTableEpoch() Metric {
	return ofQuery("table_epoch", "Number of the last batch that the table's snapshots name", None, Gauge)
}

// SparkStreamingTableCommitDuration is the way into the table.
func SparkStreamingTableCommitDuration() Metric {
	m := ofQuery("table_commit_duration_seconds", "Time from the writing of a batch's plan to its snapshot of the table",
		Seconds, Histogram)
	m.Buckets = batchBuckets()
	return m
}

// SparkStreamingTableNoteDelay is how long a batch is in the table and not yet
// noted as committed: a driver that dies in it runs the batch again.
func SparkStreamingTableNoteDelay() Metric {
	return ofQuery("table_note_delay_seconds",
		"Time from the last batch's snapshot of the table to the writing of its commit", Seconds, Gauge)
}

// SparkStreamingTableMismatch counts the difference between read and written.
func SparkStreamingTableMismatch() Metric {
	return ofQuery("table_mismatched_rows_total", "Rows by which the table's snapshots differ from what "+
		"the batches read: missing (filtered or lost) or extra", None, Counter, "kind")
}
