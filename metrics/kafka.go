package metrics

// The tools whose names some families keep.
const (
	OriginKafkaExporter    = "kafka_exporter"
	OriginKminion          = "kminion"
	OriginKafkaLagExporter = "kafka-lag-exporter"
)

func kafka() []Metric {
	return []Metric{
		KafkaBrokers(), KafkaBrokerInfo(), KafkaTopicPartitions(), KafkaPartitionCurrentOffset(),
		KafkaPartitionOldestOffset(), KafkaPartitionLeader(), KafkaPartitionLeaderIsPreferred(),
		KafkaPartitionReplicas(), KafkaPartitionInSyncReplicas(), KafkaPartitionUnderReplicated(),
		KafkaGroupCurrentOffset(), KafkaGroupCurrentOffsetSum(), KafkaGroupLag(), KafkaGroupLagSum(),
		KafkaGroupMembers(), KafkaExporterBuildInfo(), KafkaClusterInfo(), KafkaClusterController(),
		KafkaBrokerRackInfo(), KafkaBrokerLeaders(), KafkaBrokerReplicas(), KafkaBrokerLeaderImbalance(),
		KafkaTopicOfflinePartitions(), KafkaTopicUnderReplicatedPartitions(), KafkaTopicUnderMinISRPartitions(),
		KafkaTopicAtMinISRPartitions(), KafkaTopicCurrentOffset(), KafkaTopicOldestOffset(),
		KafkaPartitionOffline(), KafkaPartitionUnderMinISR(), KafkaPartitionAtMinISR(), KafkaGroupInfo(),
		KafkaGroupState(), KafkaGroupTopicMembers(), KafkaGroupTopicAssignedPartitions(),
		KafkaGroupReadCommittedLag(), KafkaGroupTopicReadCommittedLag(),
	}
}

// KafkaBrokers counts the brokers.
func KafkaBrokers() Metric {
	return Metric{
		Name: "kafka_brokers", Kind: Gauge, Origin: OriginKafkaExporter,
		Help: "Number of brokers that the cluster's metadata lists",
	}
}

// KafkaBrokerInfo says where a broker is.
func KafkaBrokerInfo() Metric {
	return Metric{
		Name: "kafka_broker_info", Kind: Gauge, Labels: []string{"id", "address"},
		Origin: OriginKafkaExporter,
		Help:   "Always 1; the labels say where a broker is",
	}
}

// KafkaTopicPartitions counts the partitions of a topic.
func KafkaTopicPartitions() Metric {
	return Metric{
		Name: "kafka_topic_partitions", Kind: Gauge, Labels: []string{"topic"},
		Origin: OriginKafkaExporter,
		Help:   "Number of partitions of the topic",
	}
}

// KafkaPartitionCurrentOffset is the end of a partition.
func KafkaPartitionCurrentOffset() Metric {
	return Metric{
		Name: "kafka_topic_partition_current_offset", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Offset after the partition's last record (high watermark)",
	}
}

// KafkaPartitionOldestOffset is the beginning of a partition.
func KafkaPartitionOldestOffset() Metric {
	return Metric{
		Name: "kafka_topic_partition_oldest_offset", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Offset of the oldest record that the partition keeps",
	}
}

// KafkaPartitionLeader is who leads a partition.
func KafkaPartitionLeader() Metric {
	return Metric{
		Name: "kafka_topic_partition_leader", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Id of the broker that leads the partition, -1 for none",
	}
}

// KafkaPartitionLeaderIsPreferred says whether the leader is the preferred one.
func KafkaPartitionLeaderIsPreferred() Metric {
	return Metric{
		Name: "kafka_topic_partition_leader_is_preferred", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "1 if the leader is the first of the replicas, else 0",
	}
}

// KafkaPartitionReplicas counts the replicas of a partition.
func KafkaPartitionReplicas() Metric {
	return Metric{
		Name: "kafka_topic_partition_replicas", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Number of replicas of the partition",
	}
}

// KafkaPartitionInSyncReplicas counts the replicas that are in sync.
func KafkaPartitionInSyncReplicas() Metric {
	return Metric{
		Name: "kafka_topic_partition_in_sync_replica", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Number of replicas of the partition that are in sync",
	}
}

// KafkaPartitionUnderReplicated says whether a replica is not in sync.
func KafkaPartitionUnderReplicated() Metric {
	return Metric{
		Name: "kafka_topic_partition_under_replicated_partition", Kind: Gauge, Labels: []string{"topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "1 if a replica of the partition is not in sync, else 0",
	}
}

// KafkaGroupCurrentOffset is how far a group has come.
func KafkaGroupCurrentOffset() Metric {
	return Metric{
		Name: "kafka_consumergroup_current_offset", Kind: Gauge, Labels: []string{"consumergroup", "topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Next offset that the group will read; no series where nothing is committed",
	}
}

// KafkaGroupCurrentOffsetSum is how far a group has come in a topic.
func KafkaGroupCurrentOffsetSum() Metric {
	return Metric{
		Name: "kafka_consumergroup_current_offset_sum", Kind: Gauge, Labels: []string{"consumergroup", "topic"},
		Origin: OriginKafkaExporter,
		Help:   "Sum of the group's offsets over the topic's partitions; only when all are known",
	}
}

// KafkaGroupLag is how many records a group is behind.
func KafkaGroupLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag", Kind: Gauge, Labels: []string{"consumergroup", "topic", "partition"},
		Origin: OriginKafkaExporter,
		Help:   "Records between the group's offset and the end of the partition",
	}
}

// KafkaGroupLagSum is how many records a group is behind in a topic.
func KafkaGroupLagSum() Metric {
	return Metric{
		Name: "kafka_consumergroup_lag_sum", Kind: Gauge, Labels: []string{"consumergroup", "topic"},
		Origin: OriginKafkaExporter,
		Help:   "Records that the group is behind in all partitions of the topic; only when all are known",
	}
}

// KafkaGroupMembers counts the members of a group.
func KafkaGroupMembers() Metric {
	return Metric{
		Name: "kafka_consumergroup_members", Kind: Gauge, Labels: []string{"consumergroup"},
		Origin: OriginKafkaExporter,
		Help:   "Number of members of the group",
	}
}

// KafkaExporterBuildInfo is 1, with the build in its labels.
func KafkaExporterBuildInfo() Metric {
	return Metric{
		Name: "kafka_exporter_build_info", Kind: Gauge,
		Labels: []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
		Origin: OriginKafkaExporter,
		Help:   "Always 1; the labels say which build of this exporter answers",
	}
}

// KafkaClusterInfo says which cluster this is.
func KafkaClusterInfo() Metric {
	return Metric{
		Name: "kafka_cluster_info", Kind: Gauge, Labels: []string{"cluster_id"},
		Help: "Always 1; the label is the cluster's id",
	}
}

// KafkaClusterController is where requests for the controller go.
func KafkaClusterController() Metric {
	return Metric{
		Name: "kafka_cluster_controller", Kind: Gauge,
		Help: "Id of the broker to which requests for the controller go, -1 for none",
	}
}

// KafkaBrokerRackInfo says in which rack a broker is.
func KafkaBrokerRackInfo() Metric {
	return Metric{
		Name: "kafka_broker_rack_info", Kind: Gauge, Labels: []string{"broker", "rack"},
		Help: "Always 1; the label is the broker's rack, empty where it has none",
	}
}

// KafkaBrokerLeaders counts the partitions that a broker leads.
func KafkaBrokerLeaders() Metric {
	return Metric{
		Name: "kafka_broker_leaders", Kind: Gauge, Labels: []string{"broker"},
		Help: "Partitions that the broker leads, of the topics that the filter lets through",
	}
}

// KafkaBrokerReplicas counts the replicas of a broker.
func KafkaBrokerReplicas() Metric {
	return Metric{
		Name: "kafka_broker_replicas", Kind: Gauge, Labels: []string{"broker"},
		Help: "Replicas that the broker is to hold, of the topics that the filter lets through",
	}
}

// KafkaBrokerLeaderImbalance is what a preferred leader election would move.
func KafkaBrokerLeaderImbalance() Metric {
	return Metric{
		Name: "kafka_broker_leader_imbalance_ratio", Kind: Gauge, Labels: []string{"broker"},
		Help: "Part of the partitions that prefer this broker as leader and have another, 0 to 1",
	}
}

// KafkaTopicOfflinePartitions counts the partitions without a leader.
func KafkaTopicOfflinePartitions() Metric {
	return Metric{
		Name: "kafka_topic_offline_partitions", Kind: Gauge, Labels: []string{"topic"},
		Help: "Partitions of the topic that have no leader",
	}
}

// KafkaTopicUnderReplicatedPartitions counts partitions with a replica that is behind.
func KafkaTopicUnderReplicatedPartitions() Metric {
	return Metric{
		Name: "kafka_topic_under_replicated_partitions", Kind: Gauge, Labels: []string{"topic"},
		Help: "Partitions of the topic of which a replica is not in sync",
	}
}

// KafkaTopicUnderMinISRPartitions counts partitions that take no writes with acks=all.
func KafkaTopicUnderMinISRPartitions() Metric {
	return Metric{
		Name: "kafka_topic_under_min_isr_partitions", Kind: Gauge, Labels: []string{"topic"},
		Help: "Partitions of the topic with fewer replicas in sync than min.insync.replicas",
	}
}

// KafkaTopicAtMinISRPartitions counts partitions that the next loss stops.
func KafkaTopicAtMinISRPartitions() Metric {
	return Metric{
		Name: "kafka_topic_at_min_isr_partitions", Kind: Gauge, Labels: []string{"topic"},
		Help: "Partitions of the topic with as many replicas in sync as min.insync.replicas",
	}
}

// KafkaTopicCurrentOffset is the end of a topic.
func KafkaTopicCurrentOffset() Metric {
	return Metric{
		Name: "kafka_topic_current_offset", Kind: Gauge, Labels: []string{"topic"},
		Help: "Sum of the ends of the topic's partitions; only when all are known",
	}
}

// KafkaTopicOldestOffset is the beginning of a topic.
func KafkaTopicOldestOffset() Metric {
	return Metric{
		Name: "kafka_topic_oldest_offset", Kind: Gauge, Labels: []string{"topic"},
		Help: "Sum of the oldest offsets of the topic's partitions; only when all are known",
	}
}

// KafkaPartitionOffline says that a partition has no leader.
func KafkaPartitionOffline() Metric {
	return Metric{
		Name: "kafka_topic_partition_offline", Kind: Gauge, Labels: []string{"topic", "partition"},
		Help: "1 if the partition has no leader; 0 is shown only with details of all partitions",
	}
}

// KafkaPartitionUnderMinISR says that a partition takes no writes with acks=all.
func KafkaPartitionUnderMinISR() Metric {
	return Metric{
		Name: "kafka_topic_partition_under_min_isr", Kind: Gauge, Labels: []string{"topic", "partition"},
		Help: "1 if fewer replicas are in sync than min.insync.replicas; 0 is shown only with details of " +
			"all partitions",
	}
}

// KafkaPartitionAtMinISR says that the next loss stops a partition.
func KafkaPartitionAtMinISR() Metric {
	return Metric{
		Name: "kafka_topic_partition_at_min_isr", Kind: Gauge, Labels: []string{"topic", "partition"},
		Help: "1 if as many replicas are in sync as min.insync.replicas; 0 is shown only with details of " +
			"all partitions",
	}
}

// KafkaGroupInfo describes a group.
func KafkaGroupInfo() Metric {
	return Metric{
		Name: "kafka_consumergroup_info", Kind: Gauge,
		Labels: []string{"consumergroup", "type", "source", "state", "protocol", "coordinator"},
		Help:   "Always 1; the labels describe the group, type being empty where offsets are kept outside Kafka",
	}
}

// KafkaGroupState is the state of a group.
func KafkaGroupState() Metric {
	return Metric{
		Name: "kafka_consumergroup_state", Kind: Gauge, Labels: []string{"consumergroup", "state"},
		Help: "Always 1; the label is the state that the group is in",
	}
}

// KafkaGroupTopicMembers counts the members that read a topic.
func KafkaGroupTopicMembers() Metric {
	return Metric{
		Name: "kafka_consumergroup_topic_members", Kind: Gauge, Labels: []string{"consumergroup", "topic"},
		Help: "Members of the group that have a partition of the topic",
	}
}

// KafkaGroupTopicAssignedPartitions counts the partitions that somebody reads.
func KafkaGroupTopicAssignedPartitions() Metric {
	return Metric{
		Name: "kafka_consumergroup_topic_assigned_partitions", Kind: Gauge,
		Labels: []string{"consumergroup", "topic"},
		Help:   "Partitions of the topic that are assigned to members of the group",
	}
}

// KafkaGroupReadCommittedLag is what a reader of committed records can still read.
func KafkaGroupReadCommittedLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_read_committed_lag", Kind: Gauge,
		Labels: []string{"consumergroup", "topic", "partition"},
		Help: "Records between the group's offset and the last stable offset; shown where that is not " +
			"the end, or with details of all partitions",
	}
}

// KafkaGroupTopicReadCommittedLag is what a reader of committed records can still read of a topic.
func KafkaGroupTopicReadCommittedLag() Metric {
	return Metric{
		Name: "kafka_consumergroup_topic_read_committed_lag", Kind: Gauge, Labels: []string{"consumergroup", "topic"},
		Help: "Records that a reader of committed records is behind in all partitions of the topic; only " +
			"when all are known",
	}
}
