//go:build !exporter

package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// A job that is paced says how late it is, one that ends how much is left, and
// the lines are drawn over the last ones.
func TestJobProgress(t *testing.T) {
	paced := &job{name: "payments", pace: constant(100)}
	paced.count = 1000
	paced.sent.Store(250)
	free := &job{name: "orders"}
	free.sent.Store(77)
	var b strings.Builder
	last := []uint64{150, 70}
	showJobs(&b, []*job{paced, free}, last, 2, 4*time.Second)
	out := b.String()
	for _, want := range []string{"\x1b[2A\r", "payments", " 25 %", "250 of 1,000", "100/s", "lag 1.5 s", "orders", "77", "7/s"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
	if strings.Count(out, "lag") != 1 || last[0] != 250 || last[1] != 77 {
		t.Errorf("%q, %v", out, last)
	}
}

// A record with a rate is intended for when it is due, also when it is late; one
// without keeps the time at which it was made.
func TestPacedRecordsAreIntendedForTheirTime(t *testing.T) {
	begin := time.Now().Add(-time.Minute)
	for name, c := range map[string]struct {
		pace pace
		want time.Time
	}{
		"by number":     {pace{times: constant(100), begin: begin}, begin.Add(5 * time.Second)},
		"by event time": {pace{due: func(at int64) time.Duration { return time.Duration(at) }, begin: begin}, begin.Add(7)},
		"without":       {pace{}, begin},
	} {
		r := sink.Record{Seq: 500, At: 7, Intended: begin}
		if err := c.pace.wait(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if !r.Intended.Equal(c.want) {
			t.Errorf("%s: intended for %s, want %s", name, r.Intended, c.want)
		}
	}
}
