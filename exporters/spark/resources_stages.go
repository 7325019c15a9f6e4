package spark

import (
	"context"
	"errors"
	"io/fs"
	"time"

	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	maxNeeded = 2000            // stages to read
	maxReach  = 3               // polls that a stage may be out of reach of the budget
	longStage = 5 * time.Second // whose skew is looked at
	skewKeep  = 10 * time.Minute
	stageDone = "COMPLETE"
)

// readStages reads the stages of the jobs that ended: one alone, more from the
// list of all, the newest first, down to the lowest that is needed.
func (p *poll) readStages(ctx context.Context) error {
	r := p.run
	if len(r.needed) == 0 {
		return nil
	}
	lowest := -1
	for id := range r.needed {
		if lowest < 0 || id < lowest {
			lowest = id
		}
	}
	var found []lakespark.Stage
	keep := func(s lakespark.Stage) {
		if _, ok := r.needed[s.ID]; ok && (s.Status == stageDone || s.Status == lakespark.StageFailed) {
			found = append(found, s)
		}
	}
	if len(r.needed) == 1 {
		err := p.ui.Stage(ctx, r.id, lowest, func(s lakespark.Stage) bool { keep(s); return true })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		p.countStages(found, lowest)
		return nil
	}
	reached, limit := lowest, p.limit(stagesBytes)
	err := p.ui.Stages(ctx, r.id, func(s lakespark.Stage) bool {
		switch {
		case s.ID < lowest:
			return false
		case p.meter.Bytes() > limit:
			reached = s.ID + 1
			return false
		}
		keep(s)
		return true
	})
	if err != nil {
		return err
	}
	p.countStages(found, reached)
	return nil
}

// countStages adds what was found. The list was read down to the stage reached:
// what is needed above and was not found was skipped by Spark or is forgotten;
// what is below waits for another poll, but not for long.
func (p *poll) countStages(found []lakespark.Stage, reached int) {
	for _, s := range found {
		if s.ID >= reached { // else some of its attempts may not have been read
			p.stageEnded(s)
		}
	}
	for id, polls := range p.run.needed {
		switch {
		case id >= reached:
			delete(p.run.needed, id)
		case polls+1 >= maxReach:
			delete(p.run.needed, id)
			p.state.totals.missed["stages"]++
		default:
			p.run.needed[id] = polls + 1
		}
	}
}

func (p *poll) stageEnded(s lakespark.Stage) {
	t := &p.state.totals
	query := p.state.queryOf(s.Description)
	t.cpu[query] += s.CPUNanos.Value() / 1e9
	t.busy[query] += s.RunMillis.Value() / 1e3
	t.output += s.OutputBytes.Value()
	t.spilledMemory += s.MemorySpilled.Value()
	t.spilledDisk += s.DiskSpilled.Value()
	if s.Submitted.IsZero() || s.Completed.Before(s.Submitted.Time) {
		return
	}
	took := s.Completed.Sub(s.Submitted.Time)
	p.state.stages.Observe(took.Seconds())
	if s.Status == stageDone && took > max(longStage, p.longest) && s.Tasks.Value() > 1 {
		p.long, p.longest = s, took
	}
}

// readSkew compares the tasks of the longest stage that ended since the last
// poll, when it took long.
func (p *poll) readSkew(ctx context.Context) error {
	if p.longest == 0 {
		return nil
	}
	sum, err := p.ui.TaskSummary(ctx, p.run.id, p.long, 0.5, 1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // forgotten already
	}
	if err != nil {
		return err
	}
	p.state.skew = skew{at: p.now, duration: ratio(sum.Duration), bytes: ratio(sum.Shuffle.ReadBytes)}
	return nil
}

// ratio is the highest over the median, 0 where there is no median.
func ratio(quantiles []lakespark.Number) float64 {
	if len(quantiles) != 2 || quantiles[0].Value() == 0 {
		return 0
	}
	return quantiles[1].Value() / quantiles[0].Value()
}
