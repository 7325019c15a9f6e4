package lab

import (
	"log/slog"
	"time"

	"github.com/lakeproof/lakeproof/generators"
)

// Options say what the lab consists of.
type Options struct {
	Dir       string   // folder for all files of the lab; made if missing
	Self      string   // path of the program that runs [StoreMain] when called with ChildArgs
	ChildArgs []string // for example ["store"]
	Streams   []Stream

	Trigger         time.Duration // shortest time between the starts of two batches; default 1 s
	Sabotage        Sabotage      // default none
	SabotageSeed    uint64        // selects the records that the sabotage hits
	ExpectedRecords uint64        // the sabotage hits records among the first 90 % of these; default 10,000
	DelayFor        time.Duration // how long the sabotage holds records back; default 5 s
	Logger          *slog.Logger  // default: discards
}

// Stream is one topic and the table that its records land in.
type Stream struct {
	Topic      string
	Partitions int    // of the topic; the engine itself takes what the topic has
	Table      string // namespace.table; undecodable records go to the table with _dead_letter at its end
	Schema     *generators.Schema
	Format     string // one of encode.Formats; default json
}

// The parts of the lab's addresses that do not change.
const (
	Bucket    = "datalake"
	Warehouse = "lab"
	region    = "us-east-1"

	warehouseLocation = "s3://" + Bucket + "/warehouse"
	checkpointRoot    = "s3://" + Bucket + "/checkpoints/"

	// DeadLetterSuffix follows the name of a table in that of its dead letters.
	DeadLetterSuffix = "_dead_letter"

	defaultTrigger  = time.Second
	defaultDelay    = 5 * time.Second
	defaultExpected = 10_000
)
