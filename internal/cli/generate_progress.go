//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/ui"
)

// watchJobs shows on a terminal how far the jobs are, once a second, until the
// returned function is called. Elsewhere it shows nothing.
func watchJobs(ctx context.Context, a *app, jobs []*job, begin time.Time) (stop func()) {
	if !a.TTY {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var showing sync.WaitGroup
	showing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		last := make([]uint64, len(jobs))
		for drawn := 0; ; drawn = len(jobs) {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				showJobs(a.Stderr, jobs, last, drawn, now.Sub(begin))
			}
		}
	})
	return func() {
		cancel()
		showing.Wait()
	}
}

// showJobs writes a line for each job over those that were drawn before.
func showJobs(w io.Writer, jobs []*job, last []uint64, drawn int, elapsed time.Duration) {
	var b strings.Builder
	if drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", drawn)
	}
	for i, j := range jobs {
		made := j.sent.Load()
		b.WriteString(j.progress(made, made-last[i], elapsed) + "\x1b[K\n")
		last[i] = made
	}
	_, _ = io.WriteString(w, b.String())
}

// progress says how far a job is, in one line.
func (j *job) progress(made, lately uint64, elapsed time.Duration) string {
	line := fmt.Sprintf("%-16s %s", j.name, ui.Count(made))
	if j.count > 0 {
		share := float64(made) / float64(j.count)
		line = fmt.Sprintf("%-16s %s %3.0f %%  %s of %s",
			j.name, ui.Bar(share, 20), share*100, ui.Count(made), ui.Count(j.count))
	}
	line += "  " + ui.Rate(float64(lately))
	if j.pace != nil {
		due := j.pace.At(j.first+made) - j.pace.At(j.first)
		line += fmt.Sprintf("  lag %.1f s", max(0, elapsed-due).Seconds())
	}
	return line
}
