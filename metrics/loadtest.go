package metrics

// The values of label state of [LoadtestRecords].
const (
	StateIntended = "intended" // due by the schedule
	StateSent     = "sent"     // handed to the sink
	StateAcked    = "acked"    // acknowledged by all in-sync replicas
	StateFailed   = "failed"   // surely not written
	StateUnknown  = "unknown"  // without an answer: written or not
	StateConsumed = "consumed" // read back from the topic
	StateLanded   = "landed"   // covered by a snapshot of the table
)

// States returns the values of label state, in the order of the journey.
func States() []string {
	return []string{StateIntended, StateSent, StateAcked, StateFailed, StateUnknown, StateConsumed, StateLanded}
}

// The values of label kind of [LoadtestAckDuration].
const (
	KindService   = "service"   // from sending to the acknowledgement
	KindCorrected = "corrected" // from the intended time to the acknowledgement
	KindScheduler = "scheduler" // from the intended time to sending: the generator's own delay
)

// The values of label class of [LoadtestResult].
const (
	ClassMissing    = "missing"
	ClassDuplicate  = "duplicate"
	ClassCorrupt    = "corrupt"
	ClassLate       = "late"
	ClassUnexpected = "unexpected"
)

// Classes returns the values of label class.
func Classes() []string {
	return []string{ClassMissing, ClassDuplicate, ClassCorrupt, ClassLate, ClassUnexpected}
}

func loadtest() []Metric {
	return []Metric{
		LoadtestRecords(), LoadtestBytes(), LoadtestTargetRate(),
		LoadtestAckDuration(), LoadtestConsumeDuration(), LoadtestFreshness(), LoadtestLag(),
		LoadtestSnapshots(), LoadtestBatches(), LoadtestHopUp(), LoadtestOutages(),
		LoadtestResult(), LoadtestThreshold(), LoadtestVerdict(),
	}
}

// LoadtestRecords counts records by how far they came.
func LoadtestRecords() Metric {
	return Metric{
		Name: "lakeproof_loadtest_records_total", Kind: Counter, Unit: Records, Labels: []string{"stream", "state"},
		Help: "Records of the run by state: intended, sent, acked, failed, unknown, consumed or landed",
	}
}

// LoadtestBytes counts the bytes of encoded values.
func LoadtestBytes() Metric {
	return Metric{
		Name: "lakeproof_loadtest_bytes_total", Kind: Counter, Unit: Bytes, Labels: []string{"stream"},
		Help: "Bytes of encoded record values handed to the sink",
	}
}

// LoadtestTargetRate is what the schedule asks for now.
func LoadtestTargetRate() Metric {
	return Metric{
		Name: "lakeproof_loadtest_target_records_per_second", Kind: Gauge, Labels: []string{"stream"},
		Help: "Records per second that the schedule asks for at this moment",
	}
}

// LoadtestAckDuration is the three latencies of the first hop.
func LoadtestAckDuration() Metric {
	return Metric{
		Name: "lakeproof_loadtest_ack_duration_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"stream", "kind"},
		Help: "Time until the brokers acknowledged a record: service time, " +
			"corrected for coordinated omission, or the generator's own delay (scheduler)",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}
}

// LoadtestConsumeDuration ends when the record was read back from the topic.
func LoadtestConsumeDuration() Metric {
	return Metric{
		Name: "lakeproof_loadtest_consume_duration_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"stream"},
		Help:    "Time from a record's intended time until it was read back from the topic",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}
}

// LoadtestFreshness ends when the record was first seen in the table.
func LoadtestFreshness() Metric {
	return Metric{
		Name: "lakeproof_loadtest_freshness_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"stream"},
		Help:    "Time from a record's intended time until a snapshot that covers it was first seen",
		Buckets: []float64{.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600},
	}
}

// LoadtestLag is how far the table is behind the topic.
func LoadtestLag() Metric {
	return Metric{
		Name: "lakeproof_loadtest_lag_records", Kind: Gauge, Unit: Records, Labels: []string{"stream"},
		Help: "Acknowledged records that no snapshot of the table covers yet",
	}
}

// LoadtestSnapshots counts the commits to a table.
func LoadtestSnapshots() Metric {
	return Metric{
		Name: "lakeproof_loadtest_snapshots_total", Kind: Counter, Labels: []string{"table"},
		Help: "Snapshots of the table that were seen during the run",
	}
}

// LoadtestBatches counts the batches of a Spark application.
func LoadtestBatches() Metric {
	return Metric{
		Name: "lakeproof_loadtest_batches_total", Kind: Counter, Labels: []string{"app"},
		Help: "Batches that the Spark application committed during the run",
	}
}

// LoadtestHopUp says whether the last look at a system succeeded.
func LoadtestHopUp() Metric {
	return Metric{
		Name: "lakeproof_loadtest_hop_up", Kind: Gauge, Labels: []string{"hop"},
		Help: "1 when the last look at the hop's system succeeded, else 0",
	}
}

// LoadtestOutages counts the times at which a hop's system went away.
func LoadtestOutages() Metric {
	return Metric{
		Name: "lakeproof_loadtest_outages_total", Kind: Counter, Labels: []string{"hop"},
		Help: "Times at which the hop's system stopped answering",
	}
}

// LoadtestResult is the outcome of the reconciliation.
func LoadtestResult() Metric {
	return Metric{
		Name: "lakeproof_loadtest_result_records", Kind: Gauge, Unit: Records, Labels: []string{"stream", "class"},
		Help: "Records that the reconciliation found missing, duplicate, corrupt, late or unexpected",
	}
}

// LoadtestThreshold says which thresholds hold.
func LoadtestThreshold() Metric {
	return Metric{
		Name: "lakeproof_loadtest_threshold_ok", Kind: Gauge, Labels: []string{"expression"},
		Help: "1 when the threshold held, 0 when it was missed or had no samples",
	}
}

// LoadtestVerdict is 1 for the verdict of the run.
func LoadtestVerdict() Metric {
	return Metric{
		Name: "lakeproof_loadtest_verdict", Kind: Gauge, Labels: []string{"verdict"},
		Help: "1 for the verdict of the run: pass, fail, inconclusive or interrupted",
	}
}
