// Package metrics is the catalogue: every metric that lakeproof exports, once,
// with its name, help, unit, kind and labels.
//
// A value flows like this: a function such as [LoadtestRecords] returns the
// metric, the code that measures makes its collector from it
// (internal/telemetry), boards and rules build their expressions from it, and
// docs/metrics.md is written from [All].
//
// It measures nothing and imports nothing but the standard library.
package metrics

import "slices"

// Kind is how a metric behaves over time.
type Kind string

// The kinds, in the words of the OpenMetrics text format.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// The units, as names end in them.
const (
	Bytes   = "bytes"
	Records = "records"
	Seconds = "seconds"
	None    = ""
)

// Metric describes one family of time series.
type Metric struct {
	Name    string // as it is exposed
	Help    string // one sentence without a full stop
	Unit    string // bytes, records, seconds or none
	Kind    Kind
	Labels  []string  // in the order in which collectors take their values
	Buckets []float64 // upper bounds of a Histogram's classic buckets

	// Origin is the tool whose name and labels these are, kept exactly so that
	// boards and rules made for it go on working; empty for a name of our own.
	Origin string
}

// All returns every metric, in the order of the documentation.
func All() []Metric {
	return slices.Concat([]Metric{BuildInfo()}, exporter(),
		kafka(), kafkaLag(), kafkaCluster(), kafkaProbe(), kafkaCompat(), spark(), loadtest())
}

// BuildInfo is 1, with the build in its labels.
func BuildInfo() Metric {
	return Metric{
		Name: "lakeproof_build_info", Kind: Gauge, Labels: []string{"version", "goversion"},
		Help: "Always 1; the labels say which build of lakeproof this is",
	}
}
