package spark

import (
	"slices"
	"strings"
	"time"
)

// The gauges of one query (org.apache.spark.sql.execution.streaming:
// MetricsReporter), with spark.sql.streaming.metricsEnabled.
const (
	gaugeInputRate     = "inputRate-total"
	gaugeProcessedRate = "processingRate-total"
	gaugeLatency       = "latency" // milliseconds
	gaugeWatermark     = "eventTime-watermark"
	gaugeStateRows     = "states-rowsTotal"
	gaugeStateBytes    = "states-usedBytes"
)

// streamingGauge splits "spark.streaming.<query>.<what>"; a query's name may
// have dots.
func streamingGauge(name string) (query, what string, ok bool) {
	rest, ok := strings.CutPrefix(name, "spark.streaming.")
	at := strings.LastIndexByte(rest, '.')
	if !ok || at <= 0 {
		return "", "", false
	}
	what = rest[at+1:]
	known := []string{gaugeInputRate, gaugeProcessedRate, gaugeLatency, gaugeWatermark, gaugeStateRows, gaugeStateBytes}
	return rest[:at], what, slices.Contains(known, what)
}

// watermark returns the watermark that the gauge says; zero without one.
func (g gauges) watermark() time.Time {
	ms := g[gaugeWatermark]
	if !(ms > 0 && ms < 1e15) {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}
