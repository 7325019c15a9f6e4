package metrics

func kafkaProbe() []Metric { return nil }
