package spark

import (
	"context"
	"errors"
	"io/fs"

	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	maxOpen  = 1000 // jobs that run at once
	lookBack = 100  // known jobs that are read for the sake of those that ran
)

// jobList is what was read of the list of jobs.
type jobList struct {
	ended   []lakespark.Job
	running []int
	seen    map[int]bool // of those that were open
	highest int
	fresh   int // new ones
}

// readJobs reads the list of jobs, the newest first, down to what is known.
// Nothing is counted before the list was read well, so that one that breaks off
// is simply read again.
func (p *poll) readJobs(ctx context.Context) error {
	r := p.run
	first := !r.baseline.jobs
	limit := p.limit(jobsBytes)
	list := jobList{highest: r.high, seen: map[int]bool{}}
	old := 0
	err := p.ui.Jobs(ctx, r.id, func(j lakespark.Job) bool {
		_, wasOpen := r.open[j.ID]
		if j.ID <= r.high || first && r.older {
			old++
		}
		if j.ID <= r.high && len(list.seen) == len(r.open) || old > lookBack || p.meter.Bytes() > limit {
			return false
		}
		list.take(j, j.ID > r.high, wasOpen)
		return true
	})
	if err != nil {
		return err
	}
	r.baseline.jobs = true
	p.count(list, r.older && first)
	return nil
}

func (l *jobList) take(j lakespark.Job, isNew, wasOpen bool) {
	if wasOpen {
		l.seen[j.ID] = true
	}
	if isNew {
		l.fresh++
		l.highest = max(l.highest, j.ID)
	}
	switch {
	case !isNew && !wasOpen:
	case j.Status == lakespark.JobRunning:
		l.running = append(l.running, j.ID)
	default:
		l.ended = append(l.ended, j)
	}
}

// count adds what the list holds to the totals, but of the first list of a run
// that is older than we are it takes only what still runs.
func (p *poll) count(list jobList, baseline bool) {
	r := p.run
	if gone := list.highest - r.high - list.fresh; gone > 0 && !baseline {
		p.state.totals.missed["jobs"] += float64(gone)
	}
	r.high = list.highest
	for _, id := range list.running {
		if _, known := r.open[id]; !known && len(r.open) < maxOpen {
			r.open[id] = 0
		}
	}
	for _, j := range list.ended {
		delete(r.open, j.ID)
		if !baseline {
			p.jobEnded(j)
		}
	}
	p.unseen = p.unseen[:0]
	for id := range r.open {
		if !list.seen[id] && id <= list.highest-list.fresh {
			p.unseen = append(p.unseen, id)
		}
	}
}

func (p *poll) jobEnded(j lakespark.Job) {
	t := &p.state.totals
	switch j.Status {
	case lakespark.JobSucceeded:
		t.jobsSucceeded++
	case lakespark.JobFailed:
		t.jobsFailed++
	}
	t.tasksKilled += j.KilledTasks.Value()
	if !j.Submitted.IsZero() && !j.Completed.Before(j.Submitted.Time) {
		p.state.jobs.Observe(j.Completed.Sub(j.Submitted.Time).Seconds())
	}
	for _, id := range j.StageIDs {
		if len(p.run.needed) >= maxNeeded {
			t.missed["stages"]++
			continue
		}
		if _, known := p.run.needed[id]; !known {
			p.run.needed[id] = 0
		}
	}
}

// readOpenJob asks for one job that runs for so long that the list was not read
// down to it: each poll for another one.
func (p *poll) readOpenJob(ctx context.Context) error {
	r := p.run
	if len(p.unseen) == 0 {
		return nil
	}
	id := p.unseen[0]
	for _, other := range p.unseen {
		if r.open[other] < r.open[id] || r.open[other] == r.open[id] && other < id {
			id = other
		}
	}
	r.open[id]++
	j, err := p.ui.Job(ctx, r.id, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(r.open, id)
		p.state.totals.missed["jobs"]++
		return nil
	case err != nil:
		return err
	}
	if j.ID == id && j.Status != lakespark.JobRunning {
		delete(r.open, id)
		p.jobEnded(j)
	}
	return nil
}
