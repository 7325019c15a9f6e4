package metrics

import "slices"

func kafkaCluster() []Metric {
	return slices.Concat(kafkaQuorum(), kafkaLogDirs(), kafkaReassignments(), kafkaTransactions(), kafkaInventory())
}

func kafkaQuorum() []Metric {
	return []Metric{
		KafkaQuorumLeader(), KafkaQuorumEpoch(), KafkaQuorumHighWatermark(), KafkaQuorumVoters(), KafkaQuorumObservers(),
		KafkaQuorumNodeLag(), KafkaQuorumNodeLastCaughtUp(),
	}
}

// KafkaQuorumLeader is who leads the metadata quorum.
func KafkaQuorumLeader() Metric {
	return Metric{
		Name: "kafka_quorum_leader", Kind: Gauge,
		Help: "Id of the node that leads the KRaft quorum, -1 for none",
	}
}

// KafkaQuorumEpoch grows with every election.
func KafkaQuorumEpoch() Metric {
	return Metric{
		Name: "kafka_quorum_epoch", Kind: Gauge,
		Help: "Epoch of the KRaft quorum's leader; it grows with every election",
	}
}

// KafkaQuorumHighWatermark is up to where the cluster's metadata is safe.
func KafkaQuorumHighWatermark() Metric {
	return Metric{
		Name: "kafka_quorum_high_watermark", Kind: Gauge,
		Help: "Offset of the metadata log up to which a majority of the voters has it",
	}
}

// KafkaQuorumVoters counts the nodes that elect.
func KafkaQuorumVoters() Metric {
	return Metric{
		Name: "kafka_quorum_voters", Kind: Gauge,
		Help: "Number of voters of the KRaft quorum",
	}
}

// KafkaQuorumObservers counts the nodes that follow.
func KafkaQuorumObservers() Metric {
	return Metric{
		Name: "kafka_quorum_observers", Kind: Gauge,
		Help: "Number of observers of the KRaft quorum that its leader knows",
	}
}

// KafkaQuorumNodeLag is how far a node is behind the quorum's leader.
func KafkaQuorumNodeLag() Metric {
	return Metric{
		Name: "kafka_quorum_node_lag_records", Kind: Gauge, Unit: Records, Labels: []string{"node", "role"},
		Help: "Records of the metadata log that the voter or observer is behind the leader",
	}
}

// KafkaQuorumNodeLastCaughtUp is how long ago a node had all metadata.
func KafkaQuorumNodeLastCaughtUp() Metric {
	return Metric{
		Name: "kafka_quorum_node_last_caught_up_seconds", Kind: Gauge, Unit: Seconds, Labels: []string{"node", "role"},
		Help: "Time since the voter or observer last had all of the leader's metadata log, by the leader's clock",
	}
}

func kafkaLogDirs() []Metric {
	return []Metric{
		KafkaLogDirUsed(), KafkaLogDirTotal(), KafkaLogDirUsable(), KafkaLogDirOffline(), KafkaLogDirFutureReplicas(),
		KafkaLogDirUntilFull(), KafkaTopicSize(), KafkaTopicLeaderSize(), KafkaTopicLargestPartition(),
		KafkaPartitionSize(),
	}
}

// KafkaLogDirUsed is what the replicas in a directory take.
func KafkaLogDirUsed() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_used_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"broker", "dir"},
		Help: "Bytes of all replicas in the log directory",
	}
}

// KafkaLogDirTotal is the size of the volume.
func KafkaLogDirTotal() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_total_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"broker", "dir"},
		Help: "Size of the volume that the log directory is on; from Kafka 3.3",
	}
}

// KafkaLogDirUsable is what is left of the volume.
func KafkaLogDirUsable() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_usable_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"broker", "dir"},
		Help: "Bytes that are left on the volume that the log directory is on; from Kafka 3.3",
	}
}

// KafkaLogDirOffline says whether the broker gave a directory up.
func KafkaLogDirOffline() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_offline", Kind: Gauge, Labels: []string{"broker", "dir"},
		Help: "1 if the broker can no longer use the log directory, else 0",
	}
}

// KafkaLogDirFutureReplicas counts replicas that move between directories.
func KafkaLogDirFutureReplicas() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_future_replicas", Kind: Gauge, Labels: []string{"broker", "dir"},
		Help: "Replicas that are being moved into the log directory from another of the same broker",
	}
}

// KafkaLogDirUntilFull is how long the volume lasts.
func KafkaLogDirUntilFull() Metric {
	return Metric{
		Name: "kafka_broker_log_dir_until_full_seconds", Kind: Gauge, Unit: Seconds, Labels: []string{"broker", "dir"},
		Help: "Time until the volume is full, by how its usable bytes shrank in up to six hours; " +
			"no series while they do not shrink",
	}
}

// KafkaTopicSize is what a topic takes on all brokers.
func KafkaTopicSize() Metric {
	return Metric{
		Name: "kafka_topic_size_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "Bytes of all replicas of the topic; only when all are known",
	}
}

// KafkaTopicLeaderSize is what a topic holds.
func KafkaTopicLeaderSize() Metric {
	return Metric{
		Name: "kafka_topic_leader_size_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "Bytes of the topic, each partition once, as its leader has it; only when all are known",
	}
}

// KafkaTopicLargestPartition shows how uneven a topic is.
func KafkaTopicLargestPartition() Metric {
	return Metric{
		Name: "kafka_topic_largest_partition_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "Bytes of the topic's largest partition, as its leader has it; only when all are known",
	}
}

// KafkaPartitionSize is what one replica takes.
func KafkaPartitionSize() Metric {
	return Metric{
		Name: "kafka_topic_partition_size_bytes", Kind: Gauge, Unit: Bytes,
		Labels: []string{"topic", "partition", "broker"},
		Help:   "Bytes of the partition's replica on the broker; only with details of all partitions",
	}
}

func kafkaReassignments() []Metric {
	return []Metric{
		KafkaReassigningPartitions(), KafkaTopicReassigningPartitions(), KafkaTopicReassignmentAdding(),
		KafkaTopicReassignmentRemoving(),
	}
}

// KafkaReassigningPartitions counts the partitions that move.
func KafkaReassigningPartitions() Metric {
	return Metric{
		Name: "kafka_reassigning_partitions", Kind: Gauge,
		Help: "Partitions of the cluster whose replicas are being reassigned",
	}
}

// KafkaTopicReassigningPartitions counts the partitions of a topic that move.
func KafkaTopicReassigningPartitions() Metric {
	return Metric{
		Name: "kafka_topic_reassigning_partitions", Kind: Gauge, Labels: []string{"topic"},
		Help: "Partitions of the topic whose replicas are being reassigned; no series where none are",
	}
}

// KafkaTopicReassignmentAdding counts the replicas to come.
func KafkaTopicReassignmentAdding() Metric {
	return Metric{
		Name: "kafka_topic_reassignment_adding_replicas", Kind: Gauge, Labels: []string{"topic"},
		Help: "Replicas that the reassignments in flight of the topic add",
	}
}

// KafkaTopicReassignmentRemoving counts the replicas to go.
func KafkaTopicReassignmentRemoving() Metric {
	return Metric{
		Name: "kafka_topic_reassignment_removing_replicas", Kind: Gauge, Labels: []string{"topic"},
		Help: "Replicas that the reassignments in flight of the topic remove",
	}
}

func kafkaTransactions() []Metric {
	return []Metric{
		KafkaPartitionLSOGap(), KafkaTopicLSOGap(), KafkaTopicOldestTransaction(), KafkaOldestTransactionInfo(),
		KafkaTransactions(),
	}
}

// KafkaPartitionLSOGap is what readers of committed records cannot read yet.
func KafkaPartitionLSOGap() Metric {
	return Metric{
		Name: "kafka_topic_partition_lso_gap", Kind: Gauge, Labels: []string{"topic", "partition"},
		Help: "Offsets between the last stable offset and the end of the partition, which a transaction keeps open; " +
			"shown where there are any, or with details of all partitions",
	}
}

// KafkaTopicLSOGap is what readers of committed records cannot read yet of a topic.
func KafkaTopicLSOGap() Metric {
	return Metric{
		Name: "kafka_topic_lso_gap", Kind: Gauge, Labels: []string{"topic"},
		Help: "Offsets between the last stable offset and the end in all partitions of the topic; only when all are known",
	}
}

// KafkaTopicOldestTransaction is how long readers of committed records wait.
func KafkaTopicOldestTransaction() Metric {
	return Metric{
		Name: "kafka_topic_oldest_open_transaction_age_seconds", Kind: Gauge, Unit: Seconds, Labels: []string{"topic"},
		Help: "Age of the topic's oldest open transaction, or since when one is seen where its start is not known; " +
			"no series where none holds up readers",
	}
}

// KafkaOldestTransactionInfo names the transaction that is open the longest.
func KafkaOldestTransactionInfo() Metric {
	return Metric{
		Name: "kafka_oldest_open_transaction_info", Kind: Gauge,
		Labels: []string{"transactional_id", "producer_id", "broker"},
		Help: "Always 1; the labels name the cluster's oldest open transaction and its coordinator, " +
			"as far as they are known",
	}
}

// KafkaTransactions counts transactional ids by what they are doing.
func KafkaTransactions() Metric {
	return Metric{
		Name: "kafka_transactions", Kind: Gauge, Labels: []string{"broker", "state"},
		Help: "Transactional ids that the broker coordinates, by state; no series where it tells of none",
	}
}
