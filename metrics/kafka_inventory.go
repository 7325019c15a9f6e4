package metrics

import "slices"

// kafkaInventory is what changes rarely.
func kafkaInventory() []Metric {
	return slices.Concat(kafkaTopicConfigs(), []Metric{
		KafkaBrokerConfig(), KafkaACLs(), KafkaClientQuotas(), KafkaClientQuota(), KafkaScramCredentials(),
		KafkaFeatureLevel(), KafkaBrokerFeatureMaxLevel(), KafkaBrokerVersionInfo(),
		KafkaClientMetricsSubscriptions(), KafkaClientMetricsInterval(),
	})
}

func kafkaTopicConfigs() []Metric {
	return []Metric{
		KafkaTopicRetention(), KafkaTopicRetentionBytes(), KafkaTopicMinISR(), KafkaTopicCleanupPolicyInfo(),
		KafkaTopicMaxMessage(), KafkaTopicSegmentBytes(), KafkaTopicSegmentAge(),
	}
}

// KafkaTopicRetention is retention.ms.
func KafkaTopicRetention() Metric {
	return Metric{
		Name: "kafka_topic_retention_seconds", Kind: Gauge, Unit: Seconds, Labels: []string{"topic"},
		Help: "How long the topic keeps records (retention.ms); no series without a limit",
	}
}

// KafkaTopicRetentionBytes is retention.bytes.
func KafkaTopicRetentionBytes() Metric {
	return Metric{
		Name: "kafka_topic_retention_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "How much each partition of the topic keeps (retention.bytes); no series without a limit",
	}
}

// KafkaTopicMinISR is min.insync.replicas.
func KafkaTopicMinISR() Metric {
	return Metric{
		Name: "kafka_topic_min_insync_replicas", Kind: Gauge, Labels: []string{"topic"},
		Help: "Replicas that must be in sync for a write with acks=all (min.insync.replicas)",
	}
}

// KafkaTopicCleanupPolicyInfo is cleanup.policy.
func KafkaTopicCleanupPolicyInfo() Metric {
	return Metric{
		Name: "kafka_topic_cleanup_policy_info", Kind: Gauge, Labels: []string{"topic", "policy"},
		Help: "Always 1; the label is the topic's cleanup.policy: delete, compact or compact,delete",
	}
}

// KafkaTopicMaxMessage is max.message.bytes.
func KafkaTopicMaxMessage() Metric {
	return Metric{
		Name: "kafka_topic_max_message_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "Largest batch of records that the topic takes (max.message.bytes)",
	}
}

// KafkaTopicSegmentBytes is segment.bytes.
func KafkaTopicSegmentBytes() Metric {
	return Metric{
		Name: "kafka_topic_segment_bytes", Kind: Gauge, Unit: Bytes, Labels: []string{"topic"},
		Help: "Size at which the topic's segments are closed (segment.bytes)",
	}
}

// KafkaTopicSegmentAge is segment.ms.
func KafkaTopicSegmentAge() Metric {
	return Metric{
		Name: "kafka_topic_segment_seconds", Kind: Gauge, Unit: Seconds, Labels: []string{"topic"},
		Help: "Age at which the topic's segments are closed (segment.ms)",
	}
}

// KafkaBrokerConfig is a setting of a broker.
func KafkaBrokerConfig() Metric {
	return Metric{
		Name: "kafka_broker_config", Kind: Gauge, Labels: []string{"broker", "name"},
		Help: "Setting of the broker in Kafka's own name and unit; true is 1 and false 0",
	}
}

// KafkaACLs counts the access control entries.
func KafkaACLs() Metric {
	return Metric{
		Name: "kafka_acls", Kind: Gauge, Labels: []string{"resource_type"},
		Help: "Access control entries by type of resource; no series without an authorizer",
	}
}

// KafkaClientQuotas counts the quotas.
func KafkaClientQuotas() Metric {
	return Metric{
		Name: "kafka_client_quotas", Kind: Gauge, Labels: []string{"entity"},
		Help: "Entities with quotas of their own by type: user, client-id, ip, or user and client-id (user,client-id)",
	}
}

// KafkaClientQuota is the value of one quota.
func KafkaClientQuota() Metric {
	return Metric{
		Name: "kafka_client_quota", Kind: Gauge, Labels: []string{"user", "client_id", "ip", "quota"},
		Help: "Value of the quota in Kafka's own unit; <default> is the entity that stands for all others of its type",
	}
}

// KafkaScramCredentials counts the users by mechanism.
func KafkaScramCredentials() Metric {
	return Metric{
		Name: "kafka_scram_credentials", Kind: Gauge, Labels: []string{"mechanism"},
		Help: "Users that have SCRAM credentials, by mechanism",
	}
}

// KafkaFeatureLevel is the level of a feature that the cluster has agreed on.
func KafkaFeatureLevel() Metric {
	return Metric{
		Name: "kafka_feature_level", Kind: Gauge, Labels: []string{"feature"},
		Help: "Level of the feature that the cluster has finalized, such as metadata.version",
	}
}

// KafkaBrokerFeatureMaxLevel is the level of a feature that a broker could have.
func KafkaBrokerFeatureMaxLevel() Metric {
	return Metric{
		Name: "kafka_broker_feature_max_level", Kind: Gauge, Labels: []string{"broker", "feature"},
		Help: "Highest level of the feature that the broker supports",
	}
}

// KafkaBrokerVersionInfo says which version a broker is.
func KafkaBrokerVersionInfo() Metric {
	return Metric{
		Name: "kafka_broker_version_info", Kind: Gauge, Labels: []string{"broker", "version"},
		Help: "Always 1; the label is the broker's version, guessed from the requests that it knows",
	}
}

// KafkaClientMetricsSubscriptions counts what the brokers ask of clients.
func KafkaClientMetricsSubscriptions() Metric {
	return Metric{
		Name: "kafka_client_metrics_subscriptions", Kind: Gauge,
		Help: "Subscriptions to metrics of clients (KIP-714)",
	}
}

// KafkaClientMetricsInterval is how often clients push.
func KafkaClientMetricsInterval() Metric {
	return Metric{
		Name: "kafka_client_metrics_subscription_interval_seconds", Kind: Gauge, Unit: Seconds,
		Labels: []string{"subscription"},
		Help:   "How often clients push the metrics of the subscription",
	}
}
