package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
)

// maxMetrics bounds how many gauges and counters of a driver are kept: it has
// some 200, and 6 more for each query.
const maxMetrics = 5000

// Metrics is what the driver's MetricsServlet shows, by names without the
// namespace and without ".driver.". Values that are not finite are left out.
type Metrics struct {
	Gauges   map[string]float64
	Counters map[string]float64
}

// Metrics reads /metrics/json/. Without the slash at its end Spark redirects.
func (u *UI) Metrics(ctx context.Context) (Metrics, error) {
	var m Metrics
	err := u.get(ctx, "/metrics/json/", func(r io.Reader) (err error) {
		m, err = decodeMetrics(r)
		return err
	})
	return m, err
}

// decodeMetrics walks through the object: what is not a gauge or a counter is
// passed over, a gauge that is a text or an error as well.
func decodeMetrics(r io.Reader) (Metrics, error) {
	m := Metrics{Gauges: map[string]float64{}, Counters: map[string]float64{}}
	dec := json.NewDecoder(r)
	err := eachKey(dec, func(kind string) error {
		switch kind {
		case "gauges":
			return eachKey(dec, func(name string) error { return keep(dec, m.Gauges, name) })
		case "counters":
			return eachKey(dec, func(name string) error { return keep(dec, m.Counters, name) })
		}
		var other json.RawMessage
		return dec.Decode(&other)
	})
	return m, err
}

// eachKey reads an object: visit reads the value of each key.
func eachKey(dec *json.Decoder, visit func(key string) error) error {
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return &httpjson.ShapeError{Want: "an object of metrics"}
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return &httpjson.ShapeError{Want: "an object of metrics"}
		}
		if err := visit(key); err != nil {
			return fmt.Errorf("%.80q: %w", key, err)
		}
	}
	_, err = dec.Token()
	return err
}

func keep(dec *json.Decoder, into map[string]float64, name string) error {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return err
	}
	var metric struct {
		Value *Number `json:"value"`
		Count *Number `json:"count"`
	}
	if json.Unmarshal(raw, &metric) != nil {
		return nil
	}
	value := metric.Value
	if value == nil {
		value = metric.Count
	}
	if value == nil || math.IsNaN(float64(*value)) || len(into) >= maxMetrics {
		return nil
	}
	into[short(name)] = float64(*value)
	return nil
}

// short drops the namespace, which may be the id of the run.
func short(name string) string {
	if _, after, ok := strings.Cut(name, ".driver."); ok {
		return after
	}
	return strings.TrimPrefix(name, "driver.")
}
