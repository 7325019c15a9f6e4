package metrics

func kafkaCluster() []Metric { return nil }
