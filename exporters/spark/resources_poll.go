package spark

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

// What one poll of one application may cost the driver. The list of executors is
// read whole, because sums of a part of it would be wrong: an application with
// more than some 150 of them costs more.
const (
	maxRequests = 6
	jobsBytes   = 150 << 10 // from the beginning of the poll to the end of the jobs
	stagesBytes = 270 << 10 // and of the stages
	leastBytes  = 48 << 10  // for either, whatever came before
	wholeBytes  = 6 << 20   // of a run that has ended, which is read once
)

// poll is one look at one driver.
type poll struct {
	state *state
	run   *runState
	ui    *lakespark.UI
	meter *httpjson.Meter
	now   time.Time
	whole bool // read lists whatever they cost: the run has ended

	unseen  []int // jobs that still ran and were out of reach
	long    lakespark.Stage
	longest time.Duration
	gauges  gauges
	errs    []error
}

// limit is at how many bytes of the poll a list is left.
func (p *poll) limit(bytes int64) int64 {
	if p.whole {
		return wholeBytes
	}
	return max(bytes, p.meter.Bytes()+leastBytes)
}

// greeting is what a driver says of itself.
type greeting struct {
	name    string
	run     lakespark.Run
	attempt lakespark.Attempt
}

// greet asks a driver who it is.
func greet(ctx context.Context, ui *lakespark.UI) (greeting, error) {
	apps, err := ui.Applications(ctx)
	if err != nil {
		return greeting{}, err
	}
	if len(apps) != 1 || apps[0].ID == "" {
		err := &httpjson.ShapeError{Want: "that of a driver: it names another number of applications than one"}
		return greeting{}, fail.Wrap(fmt.Errorf("asking the Spark UI at %s: %w", ui.Base(), err), fail.Usage,
			"a History Server is given as such, not as the address of an application")
	}
	g := greeting{name: strings.TrimSpace(apps[0].Name)}
	g.run, g.attempt = apps[0].Latest()
	if g.name == "" {
		g.name = g.run.ID
	}
	return g, nil
}

// read asks for everything else. A request that goes wrong costs its own
// figures; after one without an answer in time no other is made.
func (p *poll) read(ctx context.Context) error {
	type step struct {
		what string
		ask  func(context.Context) error
	}
	steps := []step{
		{"metrics", p.readMetrics},
		{"executors", p.readExecutors},
		{"jobs", p.readNewJobs},
		{"stages", p.readStages},
		{"skew", p.readSkew},
		{"open job", p.readOpenJob},
	}
	if p.whole {
		steps = steps[1:] // what has ended has no metrics of now
	}
	for _, step := range steps {
		if p.meter.Requests() >= maxRequests || ctx.Err() != nil {
			break
		}
		err := step.ask(ctx)
		if err == nil {
			continue
		}
		class := httpjson.ClassOf(err)
		p.state.totals.errors[class]++
		p.errs = append(p.errs, fmt.Errorf("reading %s: %w", step.what, err))
		if class == httpjson.Timeout || class == httpjson.Canceled {
			break
		}
	}
	return errors.Join(p.errs...)
}

// readMetrics reads the driver's own metrics. A driver without the servlet is
// no error.
func (p *poll) readMetrics(ctx context.Context) error {
	m, err := p.ui.Metrics(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	p.gauges = gauges(m.Gauges)
	dropped := 0.0
	for name, n := range m.Counters {
		if strings.HasPrefix(name, "LiveListenerBus.queue.") && strings.HasSuffix(name, ".numDroppedEvents") {
			dropped += n
		}
	}
	r := p.run
	if !r.older || r.baseline.dropped {
		p.state.totals.eventsDropped += max(dropped-r.dropped, 0)
	}
	r.dropped, r.baseline.dropped = dropped, true
	return nil
}

func (p *poll) readExecutors(ctx context.Context) error {
	list, err := p.ui.AllExecutors(ctx, p.run.id)
	if err == nil {
		p.state.executors(p.run, list)
	}
	return err
}

// readNewJobs reads the jobs, unless the driver says that it began none since
// they were last read and all had ended.
func (p *poll) readNewJobs(ctx context.Context) error {
	r := p.run
	all, told := p.gauges["DAGScheduler.job.allJobs"]
	if told && all == r.allJobs && len(r.open) == 0 {
		return nil
	}
	if err := p.readJobs(ctx); err != nil {
		return err
	}
	if r.allJobs = -1; told && r.high+1 >= int(all) {
		r.allJobs = all
	}
	return nil
}
