package metrics

func kafka() []Metric { return nil }
