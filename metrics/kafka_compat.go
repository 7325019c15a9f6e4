package metrics

func kafkaCompat() []Metric { return nil }
