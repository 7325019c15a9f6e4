package metrics

import "slices"

func kafkaCompat() []Metric {
	return slices.Concat(kminion(), kafkaLagExporter())
}

func kminion() []Metric {
	return []Metric{
		KminionUp(), KminionClusterInfo(), KminionBrokerInfo(), KminionBrokerLogDirSize(),
		KminionTopicLogDirSize(), KminionTopicInfo(), KminionPartitionLowWaterMark(),
		KminionPartitionHighWaterMark(), KminionTopicLowWaterMarkSum(), KminionTopicHighWaterMarkSum(),
		KminionGroupInfo(), KminionGroupMembers(), KminionGroupEmptyMembers(), KminionGroupTopicMembers(),
		KminionGroupTopicAssignedPartitions(), KminionGroupTopicOffsetSum(), KminionGroupTopicLag(),
		KminionGroupPartitionLag(), KminionRequestsSent(), KminionSentBytes(), KminionRequestsReceived(),
		KminionReceivedBytes(),
	}
}

func kafkaLagExporter() []Metric {
	return []Metric{
		LagExporterLatestOffset(), LagExporterEarliestOffset(), LagExporterGroupOffset(), LagExporterGroupLag(),
		LagExporterGroupLagSeconds(), LagExporterGroupMaxLag(), LagExporterGroupMaxLagSeconds(),
		LagExporterGroupSumLag(), LagExporterGroupTopicSumLag(), LagExporterPollTime(),
	}
}

// KminionUp is kminion_exporter_up of kminion.
func KminionUp() Metric {
	return Metric{
		Name: "kminion_exporter_up", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"version"},
		Help:   "Always 1; the label is the version of this exporter",
	}
}

// KminionClusterInfo is kminion_kafka_cluster_info of kminion.
func KminionClusterInfo() Metric {
	return Metric{
		Name: "kminion_kafka_cluster_info", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"cluster_version", "broker_count", "controller_id", "cluster_id"},
		Help:   "Always 1; the labels describe the cluster",
	}
}

// KminionBrokerInfo is kminion_kafka_broker_info of kminion.
func KminionBrokerInfo() Metric {
	return Metric{
		Name: "kminion_kafka_broker_info", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"broker_id", "address", "port", "rack_id", "is_controller"},
		Help:   "Always 1; the labels describe the broker",
	}
}

// KminionBrokerLogDirSize is kminion_kafka_broker_log_dir_size_total_bytes of kminion.
func KminionBrokerLogDirSize() Metric {
	return Metric{
		Name: "kminion_kafka_broker_log_dir_size_total_bytes", Kind: Gauge, Unit: Bytes, Origin: OriginKminion,
		Labels: []string{"broker_id", "address", "port", "rack_id"},
		Help:   "Bytes of all replicas in the broker's log directories",
	}
}

// KminionTopicLogDirSize is kminion_kafka_topic_log_dir_size_total_bytes of kminion.
func KminionTopicLogDirSize() Metric {
	return Metric{
		Name: "kminion_kafka_topic_log_dir_size_total_bytes", Kind: Gauge, Unit: Bytes, Origin: OriginKminion,
		Labels: []string{"topic_name"},
		Help:   "Bytes of all replicas of the topic; only when all brokers answered",
	}
}

// KminionTopicInfo is kminion_kafka_topic_info of kminion.
func KminionTopicInfo() Metric {
	return Metric{
		Name: "kminion_kafka_topic_info", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"topic_name", "partition_count", "replication_factor", "cleanup_policy"},
		Help:   "Always 1; the labels describe the topic",
	}
}

// KminionPartitionLowWaterMark is kminion_kafka_topic_partition_low_water_mark of kminion.
func KminionPartitionLowWaterMark() Metric {
	return Metric{
		Name: "kminion_kafka_topic_partition_low_water_mark", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"topic_name", "partition_id"},
		Help:   "Offset of the oldest record that the partition keeps",
	}
}

// KminionPartitionHighWaterMark is kminion_kafka_topic_partition_high_water_mark of kminion.
func KminionPartitionHighWaterMark() Metric {
	return Metric{
		Name: "kminion_kafka_topic_partition_high_water_mark", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"topic_name", "partition_id"},
		Help:   "Offset after the partition's last record",
	}
}

// KminionTopicLowWaterMarkSum is kminion_kafka_topic_low_water_mark_sum of kminion.
func KminionTopicLowWaterMarkSum() Metric {
	return Metric{
		Name: "kminion_kafka_topic_low_water_mark_sum", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"topic_name"},
		Help:   "Sum of the low watermarks of the topic's partitions; only when all are known",
	}
}

// KminionTopicHighWaterMarkSum is kminion_kafka_topic_high_water_mark_sum of kminion.
func KminionTopicHighWaterMarkSum() Metric {
	return Metric{
		Name: "kminion_kafka_topic_high_water_mark_sum", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"topic_name"},
		Help:   "Sum of the high watermarks of the topic's partitions; only when all are known",
	}
}

// KminionGroupInfo is kminion_kafka_consumer_group_info of kminion.
func KminionGroupInfo() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_info", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "protocol", "protocol_type", "state", "coordinator_id"},
		Help:   "1 if the group is stable, else 0; the labels describe the group",
	}
}

// KminionGroupMembers is kminion_kafka_consumer_group_members of kminion.
func KminionGroupMembers() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_members", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id"},
		Help:   "Number of members of the group",
	}
}

// KminionGroupEmptyMembers is kminion_kafka_consumer_group_empty_members of kminion.
func KminionGroupEmptyMembers() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_empty_members", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id"},
		Help:   "Members of the group that have no partition; no series where there are none",
	}
}

// KminionGroupTopicMembers is kminion_kafka_consumer_group_topic_members of kminion.
func KminionGroupTopicMembers() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_topic_members", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "topic_name"},
		Help:   "Members of the group that have a partition of the topic",
	}
}

// KminionGroupTopicAssignedPartitions is kminion_kafka_consumer_group_topic_assigned_partitions of kminion.
func KminionGroupTopicAssignedPartitions() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_topic_assigned_partitions", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "topic_name"},
		Help:   "Partitions of the topic that are assigned to members of the group",
	}
}

// KminionGroupTopicOffsetSum is kminion_kafka_consumer_group_topic_offset_sum of kminion.
func KminionGroupTopicOffsetSum() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_topic_offset_sum", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "topic_name"},
		Help:   "Sum of the group's offsets over the topic's partitions; only when all are known",
	}
}

// KminionGroupTopicLag is kminion_kafka_consumer_group_topic_lag of kminion.
func KminionGroupTopicLag() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_topic_lag", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "topic_name"},
		Help:   "Records that the group is behind in all partitions of the topic; only when all are known",
	}
}

// KminionGroupPartitionLag is kminion_kafka_consumer_group_topic_partition_lag of kminion.
func KminionGroupPartitionLag() Metric {
	return Metric{
		Name: "kminion_kafka_consumer_group_topic_partition_lag", Kind: Gauge, Origin: OriginKminion,
		Labels: []string{"group_id", "topic_name", "partition_id"},
		Help:   "Records between the group's offset and the end of the partition",
	}
}

// KminionRequestsSent is kminion_kafka_requests_sent_total of kminion.
func KminionRequestsSent() Metric {
	return Metric{
		Name: "kminion_kafka_requests_sent_total", Kind: Counter, Origin: OriginKminion,
		Help: "Requests that the exporter sent to Kafka, those that begin a connection included",
	}
}

// KminionSentBytes is kminion_kafka_sent_bytes of kminion.
func KminionSentBytes() Metric {
	return Metric{
		Name: "kminion_kafka_sent_bytes", Kind: Counter, Unit: Bytes, Origin: OriginKminion,
		Help: "Bytes that the exporter sent to Kafka",
	}
}

// KminionRequestsReceived is kminion_kafka_requests_received_total of kminion.
func KminionRequestsReceived() Metric {
	return Metric{
		Name: "kminion_kafka_requests_received_total", Kind: Counter, Origin: OriginKminion,
		Help: "Answers that the exporter got from Kafka",
	}
}

// KminionReceivedBytes is kminion_kafka_received_bytes of kminion.
func KminionReceivedBytes() Metric {
	return Metric{
		Name: "kminion_kafka_received_bytes", Kind: Counter, Unit: Bytes, Origin: OriginKminion,
		Help: "Bytes that the exporter got from Kafka",
	}
}

// LagExporterLatestOffset is kafka_partition_latest_offset of kafka-lag-exporter.
func LagExporterLatestOffset() Metric {
	return Metric{
		Name: "kafka_partition_latest_offset", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "topic", "partition"},
		Help:   "Offset after the partition's last record",
	}
}

// LagExporterEarliestOffset is kafka_partition_earliest_offset of kafka-lag-exporter.
func LagExporterEarliestOffset() Metric {
	return Metric{
		Name: "kafka_partition_earliest_offset", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "topic", "partition"},
		Help:   "Offset of the oldest record that the partition keeps",
	}
}

// LagExporterGroupOffset is kafka_consumergroup_group_offset of kafka-lag-exporter.
func LagExporterGroupOffset() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_offset", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: memberLabels(),
		Help:   "Next offset that the group will read; the last three labels are empty where no member has the partition",
	}
}

// LagExporterGroupLag is kafka_consumergroup_group_lag of kafka-lag-exporter.
func LagExporterGroupLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_lag", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: memberLabels(),
		Help:   "Records between the group's offset and the end of the partition",
	}
}

// LagExporterGroupLagSeconds is kafka_consumergroup_group_lag_seconds of kafka-lag-exporter.
func LagExporterGroupLagSeconds() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_lag_seconds", Kind: Gauge, Unit: Seconds, Origin: OriginKafkaLagExporter,
		Labels: memberLabels(),
		Help:   "Age of the first record that the group has not read, 0 where it has read all",
	}
}

// LagExporterGroupMaxLag is kafka_consumergroup_group_max_lag of kafka-lag-exporter.
func LagExporterGroupMaxLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_max_lag", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "group"},
		Help:   "Largest lag of the group in a partition; only when all are known",
	}
}

// LagExporterGroupMaxLagSeconds is kafka_consumergroup_group_max_lag_seconds of kafka-lag-exporter.
func LagExporterGroupMaxLagSeconds() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_max_lag_seconds", Kind: Gauge, Unit: Seconds, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "group"},
		Help:   "Largest lag of the group in seconds; only when all are known",
	}
}

// LagExporterGroupSumLag is kafka_consumergroup_group_sum_lag of kafka-lag-exporter.
func LagExporterGroupSumLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_sum_lag", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "group"},
		Help:   "Records that the group is behind in all; only when all are known",
	}
}

// LagExporterGroupTopicSumLag is kafka_consumergroup_group_topic_sum_lag of kafka-lag-exporter.
func LagExporterGroupTopicSumLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_group_topic_sum_lag", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name", "group", "topic"},
		Help:   "Records that the group is behind in all partitions of the topic; only when all are known",
	}
}

// LagExporterPollTime is kafka_consumergroup_poll_time_ms of kafka-lag-exporter.
func LagExporterPollTime() Metric {
	return Metric{
		Name: "kafka_consumergroup_poll_time_ms", Kind: Gauge, Origin: OriginKafkaLagExporter,
		Labels: []string{"cluster_name"},
		Help:   "Milliseconds that the last collection took to ask the brokers",
	}
}

// memberLabels are those of the families by partition and member.
func memberLabels() []string {
	return []string{"cluster_name", "group", "topic", "partition", "member_host", "consumer_id", "client_id"}
}
