package spark

import "time"

// app is one application under its stable name, as one collection sees it.
type app struct {
	name        string
	ui          string    // base URL of the driver's UI; "" for none known
	checkpoints []string  // URIs of its queries' checkpoints
	alive       bool      // the driver answered in this collection
	started     time.Time // of the attempt that runs; zero where nobody told
	gauges      gauges    // of the driver's /metrics/json; nil where it was not read
}

// gauges are the driver's gauges by name, without the namespace before
// ".driver.", for example "spark.streaming.bronze.latency".
type gauges map[string]float64
