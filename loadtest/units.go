package loadtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration is a time.Duration in YAML that also knows days: "7d".
type duration time.Duration

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = duration(v)
	return nil
}

// ParseDuration reads a Go duration or a whole number of days ("7d").
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration: write 30s, 5m, 2h or 7d", s)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is not a duration: write 30s, 5m, 2h or 7d", s)
	}
	return v, nil
}

// rate is records per second.
type rate float64

func (r *rate) UnmarshalYAML(n *yaml.Node) error {
	v, err := ParseRate(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*r = rate(v)
	return nil
}

// ParseRate reads records per second: "5000/s", "300/min", "10/h" or "5000".
func ParseRate(s string) (float64, error) {
	text, per := s, 1.0
	if number, unit, ok := strings.Cut(s, "/"); ok {
		text, per = number, map[string]float64{"s": 1, "min": 60, "m": 60, "h": 3600}[unit]
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil || per == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a rate: write 5000/s or 300/min", s)
	}
	if v < 0 {
		return 0, fmt.Errorf("rate %q is negative", s)
	}
	return v / per, nil
}

// share is a part of all records in YAML: "0.1%" or 0.001.
type share float64

func (s *share) UnmarshalYAML(n *yaml.Node) error {
	number, percent := strings.CutSuffix(n.Value, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("line %d: %q is not a share: write 0.1%% or 0.001", n.Line, n.Value)
	}
	*s = share(v)
	return nil
}
