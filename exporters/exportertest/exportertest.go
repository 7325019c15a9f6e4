// Package exportertest tests collectors: one collection, held against the
// catalogue of metrics, as the text that Prometheus would read.
package exportertest
