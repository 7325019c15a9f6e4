package exporters

import (
	"context"
	"time"
)

// Defaults of a [Collector].
const (
	DefaultInterval = 15 * time.Second
	DefaultTimeout  = 5 * time.Second
)

// Collector asks one subject. It is a value: what it asks is in Collect.
type Collector struct {
	Name     string        // lower case with underscores; label collector of its self metrics
	Target   string        // what it looks at, such as a cluster's name; label target, may be empty
	Interval time.Duration // between two collections; default 15 s
	Timeout  time.Duration // of one collection; default 5 s, at most Interval
	Cost     string        // what one collection costs the system, in words
	Labels   []Label       // that every one of its series carries; default none

	// Collect writes what it found. It returns within a moment of the end of
	// ctx, with all its goroutines ended. An error means that the collection as
	// a whole went wrong; what is wrong with one part is said with [Part.Fail].
	// It is never called twice at once.
	Collect func(ctx context.Context, out *Batch) error

	// Close gives back what the collector holds; nil for nothing. It is called
	// once, after the last Collect has returned.
	Close func()
}

// Label is one constant label.
type Label struct{ Name, Value string }

func (c Collector) interval() time.Duration {
	if c.Interval <= 0 {
		return DefaultInterval
	}
	return c.Interval
}

func (c Collector) timeout() time.Duration {
	t := c.Timeout
	if t <= 0 {
		t = DefaultTimeout
	}
	return min(t, c.interval())
}
