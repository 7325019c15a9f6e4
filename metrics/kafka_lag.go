package metrics

// The values of label status of [KafkaGroupStatus], from good to bad.
const (
	StatusOK     = "OK"     // keeps up, or catches up
	StatusWarn   = "WARN"   // commits, but its lag never shrinks
	StatusStall  = "STALL"  // alive, but an offset with lag does not move
	StatusStop   = "STOP"   // commits no more, with lag
	StatusRewind = "REWIND" // an offset went back
)

// Statuses returns the values of label status, from good to bad.
func Statuses() []string {
	return []string{StatusOK, StatusWarn, StatusStall, StatusStop, StatusRewind}
}

// The values of label limit of [KafkaGroupRetentionMargin].
const (
	LimitTime  = "time"  // retention.ms
	LimitStart = "start" // the speed at which the log start moved lately, for whatever reason
)

func kafkaLag() []Metric {
	return []Metric{
		KafkaGroupLagSeconds(), KafkaGroupLagUncertainty(), KafkaGroupMaxLagSeconds(), KafkaGroupLagVelocity(),
		KafkaGroupCatchUp(), KafkaGroupLostRecords(), KafkaGroupRetentionMargin(), KafkaGroupStatus(),
	}
}

// KafkaGroupLagSeconds is how old the first record is that a group has not read.
func KafkaGroupLagSeconds() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"consumergroup", "topic", "partition"},
		Help:   "Age of the first record that the group has not read, by its own timestamp; 0 when there is none",
	}
}

// KafkaGroupLagUncertainty is how far the lag may be from the truth.
func KafkaGroupLagUncertainty() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag_uncertainty_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"consumergroup", "topic", "partition"},
		Help:   "How far kafka_consumergroup_lag_seconds may be from the truth; 0 when it is exact",
	}
}

// KafkaGroupMaxLagSeconds is the lag of the partition that is furthest behind.
func KafkaGroupMaxLagSeconds() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag_max_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"consumergroup", "topic"},
		Help:   "Age of the oldest record of the topic that the group has not read; absent unless all partitions are known",
	}
}

// KafkaGroupLagVelocity is how fast the lag grows.
func KafkaGroupLagVelocity() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag_velocity_records_per_second", Kind: Gauge,
		Labels: []string{"consumergroup", "topic"},
		Help: "Records produced less records consumed in a second, over the last collections; " +
			"negative when the group catches up",
	}
}

// KafkaGroupCatchUp is when the group will have caught up.
func KafkaGroupCatchUp() Metric {
	return Metric{
		Name: "kafka_consumergroup_catch_up_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"consumergroup", "topic"},
		Help:   "Time until the lag is gone if it goes on shrinking like this; absent when it does not shrink",
	}
}

// KafkaGroupLostRecords are records that were deleted before the group read them.
func KafkaGroupLostRecords() Metric {
	return Metric{
		Name: "kafka_consumergroup_lost_records", Kind: Gauge, Unit: Records,
		Labels: []string{"consumergroup", "topic"},
		Help:   "Offsets between the group's and the oldest record kept: deleted before they were read",
	}
}

// KafkaGroupRetentionMargin is when the group begins to lose records.
func KafkaGroupRetentionMargin() Metric {
	return Metric{
		Name: "kafka_consumergroup_retention_margin_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"consumergroup", "topic", "limit"},
		Help: "Time until the oldest unread record may be deleted: by retention.ms (time), " +
			"or as fast as the log start moved lately (start)",
	}
}

// KafkaGroupStatus is the verdict on a group's progress in a topic.
func KafkaGroupStatus() Metric {
	return Metric{
		Name: "kafka_consumergroup_status", Kind: Gauge, Labels: []string{"consumergroup", "topic", "status"},
		Help: "1 for the status of the group's worst partition, 0 for the others: OK, WARN (lag never shrinks), " +
			"STALL (alive without moving), STOP (no commits), REWIND (offset went back)",
	}
}
