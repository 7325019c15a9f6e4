package spark

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// Number is a number as Spark writes it: a value that is not finite is a text
// ("NaN", "Infinity"), and here it is NaN; what is no number is NaN too, because
// one odd field must not cost the others.
type Number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		v = math.NaN()
	}
	*n = Number(v)
	return nil
}

// Value returns the number, 0 where it is not finite or negative: for what
// Spark counts, where -1 and NaN mean that it does not know.
func (n Number) Value() float64 {
	if v := float64(n); v > 0 {
		return v
	}
	return 0
}

// Time is a moment as Spark's REST API writes it, to the millisecond; zero
// where there is none.
type Time struct{ time.Time }

const restTime = "2006-01-02T15:04:05.000"

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text string
	t.Time = time.Time{}
	if json.Unmarshal(data, &text) != nil {
		return nil // a number or null: nothing that we know
	}
	at, err := time.Parse(restTime, strings.TrimSuffix(text, "GMT"))
	if err == nil && at.UnixMilli() > 0 {
		t.Time = at
	}
	return nil
}
