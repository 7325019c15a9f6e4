package metrics

// The values of label result of [KafkaProbeRecords].
const (
	ProbeProduced  = "produced"  // acknowledged by the broker
	ProbeFailed    = "failed"    // not acknowledged in time
	ProbeReceived  = "received"  // read back
	ProbeLost      = "lost"      // acknowledged, and not read back in time
	ProbeDuplicate = "duplicate" // read back once more
	ProbeReordered = "reordered" // read back after one that was sent later
)

func kafkaProbe() []Metric {
	return []Metric{
		KafkaProbeRecords(), KafkaProbeInFlight(), KafkaProbePartitions(), KafkaProbeProduceDuration(),
		KafkaProbeEndToEndDuration(), KafkaProbeCommits(), KafkaProbeCommitDuration(),
		KminionProduced(), KminionProduceFailed(), KminionReceived(), KminionLost(), KminionInFlight(),
		KminionCommits(), KminionCommitsFailed(), KminionProduceLatency(), KminionRoundtripLatency(), KminionCommitLatency(),
	}
}

func probeBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// KafkaProbeRecords counts what became of the probe's records.
func KafkaProbeRecords() Metric {
	return Metric{
		Name: "kafka_probe_records_total", Kind: Counter, Unit: Records, Labels: []string{"broker", "result"},
		Help: "Records of the probe by the broker that led their partition, and by result: " +
			"produced, failed, received, lost, duplicate or reordered",
	}
}

// KafkaProbeInFlight is what is under way.
func KafkaProbeInFlight() Metric {
	return Metric{
		Name: "kafka_probe_in_flight_records", Kind: Gauge, Unit: Records, Labels: []string{"broker"},
		Help: "Records of the probe that are sent and not read back yet",
	}
}

// KafkaProbePartitions says whether a broker is covered.
func KafkaProbePartitions() Metric {
	return Metric{
		Name: "kafka_probe_partitions", Kind: Gauge, Labels: []string{"broker"},
		Help: "Partitions of its topic that the broker leads and the probe uses, at most 3; 0: it does not go through it",
	}
}

// KafkaProbeProduceDuration is the time to an acknowledgement.
func KafkaProbeProduceDuration() Metric {
	return Metric{
		Name: "kafka_probe_produce_duration_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"broker"},
		Help: "Time until the broker acknowledged a record of the probe", Buckets: probeBuckets(),
	}
}

// KafkaProbeEndToEndDuration is the time to the consumer.
func KafkaProbeEndToEndDuration() Metric {
	return Metric{
		Name: "kafka_probe_end_to_end_duration_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"broker"},
		Help: "Time from sending a record of the probe until it was read back", Buckets: probeBuckets(),
	}
}

// KafkaProbeCommits counts commits of offsets.
func KafkaProbeCommits() Metric {
	return Metric{
		Name: "kafka_probe_commits_total", Kind: Counter, Labels: []string{"broker", "result"},
		Help: "Offsets that the probe committed through the broker as coordinator, by result: success or failure",
	}
}

// KafkaProbeCommitDuration is the time to a commit.
func KafkaProbeCommitDuration() Metric {
	return Metric{
		Name: "kafka_probe_commit_duration_seconds", Kind: Histogram, Unit: Seconds, Labels: []string{"broker"},
		Help: "Time until the broker, as coordinator, committed an offset of the probe", Buckets: probeBuckets(),
	}
}

func kminionProbe(name string, kind Kind, unit, help string, labels ...string) Metric {
	m := Metric{
		Name: "kminion_end_to_end_" + name, Kind: kind, Unit: unit, Help: help, Labels: labels, Origin: "kminion",
	}
	if kind == Histogram {
		m.Buckets = probeBuckets()
	}
	return m
}

// KminionProduced counts acknowledged records.
func KminionProduced() Metric {
	return kminionProbe("messages_produced_total", Counter, None,
		"Records of the probe that were acknowledged", "partition_id")
}

// KminionProduceFailed counts records that were not acknowledged.
func KminionProduceFailed() Metric {
	return kminionProbe("messages_produced_failed_total", Counter, None,
		"Records of the probe that were not acknowledged", "partition_id")
}

// KminionReceived counts records that were read back.
func KminionReceived() Metric {
	return kminionProbe("messages_received_total", Counter, None,
		"Records of the probe that were read back", "partition_id")
}

// KminionLost counts records that were not read back in time.
func KminionLost() Metric {
	return kminionProbe("messages_lost_total", Counter, None,
		"Records of the probe that were not read back in time", "partition_id")
}

// KminionInFlight is what is under way.
func KminionInFlight() Metric {
	return kminionProbe("messages_produced_in_flight", Gauge, None,
		"Records of the probe that are sent and not read back yet", "partition_id")
}

// KminionCommits counts commits.
func KminionCommits() Metric {
	return kminionProbe("offset_commits_total", Counter, None, "Offsets that the probe committed", "coordinator_id")
}

// KminionCommitsFailed counts commits that went wrong.
func KminionCommitsFailed() Metric {
	return kminionProbe("offset_commits_failed_total", Counter, None,
		"Offsets that the probe could not commit", "coordinator_id", "reason")
}

// KminionProduceLatency is the time to an acknowledgement.
func KminionProduceLatency() Metric {
	return kminionProbe("produce_latency_seconds", Histogram, Seconds,
		"Time until a record of the probe was acknowledged", "partition_id")
}

// KminionRoundtripLatency is the time to the consumer.
func KminionRoundtripLatency() Metric {
	return kminionProbe("roundtrip_latency_seconds", Histogram, Seconds,
		"Time from sending a record of the probe until it was read back", "partition_id")
}

// KminionCommitLatency is the time to a commit.
func KminionCommitLatency() Metric {
	return kminionProbe("offset_commit_latency_seconds", Histogram, Seconds,
		"Time until an offset of the probe was committed", "coordinator_id")
}
