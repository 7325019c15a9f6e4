package loadtest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/loadtest/report"
)

// series fills in the charts' columns, one element a second.
func (v *verification) series(r *report.Report, samples []sample) {
	c := &r.Series
	c.T0, c.Step = v.file.Start.UTC(), 1
	n := int(time.Since(v.file.Start).Seconds())
	if len(samples) == 0 {
		n = int(v.plan.Scenario.Schedule.Duration().Seconds())
	}
	n = min(max(n, 1), maxSamples)
	nan := report.Number(math.NaN())
	column := func() []report.Number {
		out := make([]report.Number, n)
		for i := range out {
			out[i] = nan
		}
		return out
	}
	for _, col := range []*[]report.Number{
		&c.Intended, &c.Acked, &c.Landed, &c.Lag, &c.AckP50, &c.AckP99, &c.FreshP50, &c.FreshP99, &c.FreshMax, &c.CPU, &c.RSS,
	} {
		*col = column()
	}
	var last sample
	for _, s := range samples {
		i := int(s.At.Seconds())
		if s.At >= 0 && i < n {
			putSample(c, i, s, last)
		}
		last = s
	}
	for i := range n {
		for _, s := range v.streams {
			p50, p99, most := s.bins.at(time.Duration(i) * time.Second)
			raise(&c.FreshP50[i], p50)
			raise(&c.FreshP99[i], p99)
			raise(&c.FreshMax[i], most)
		}
	}
	v.points(c)
}

// putSample writes one sample into the columns.
func putSample(c *report.Series, i int, s, last sample) {
	span := (s.At - last.At).Seconds()
	if span <= 0 {
		return
	}
	c.Intended[i] = report.Number(s.Target)
	c.Acked[i] = report.Number(s.Achieved)
	if s.Followed {
		c.Landed[i] = report.Number(float64(s.Landed-last.Landed) / span)
		c.Lag[i] = report.Number(s.LagRecords)
	}
	if s.AckP99 > 0 {
		c.AckP50[i], c.AckP99[i] = report.Number(s.AckP50), report.Number(s.AckP99)
	}
	c.CPU[i], c.RSS[i] = report.Number(s.CPU), report.Number(s.RSS)
}

// raise lifts a number to v where that is higher, or where it is not known yet.
func raise(n *report.Number, v float64) {
	if !math.IsNaN(v) && !(float64(*n) >= v) {
		*n = report.Number(v)
	}
}

// points are the batches and snapshots.
func (v *verification) points(c *report.Series) {
	topics := map[string]bool{}
	for _, s := range v.streams {
		topics[s.Topic] = true
	}
	for _, g := range v.seen {
		switch g.Kind {
		case "batch":
			p := report.BatchPoint{At: g.Seen, App: g.Hop, ID: g.Batch, Duration: g.Seen - g.OffsetsAt}
			for topic := range topics {
				if n, ok := (&snapshots{topic: topic}).rows(g); ok {
					p.Records += n
				}
			}
			c.Batches = append(c.Batches, p)
		case "snapshot":
			p := report.SnapshotPoint{At: g.Seen, Table: g.Hop, ID: g.SnapshotID}
			p.Records, _ = addedRows(g)
			if _, err := fmt.Sscan(g.Summary["added-data-files"], &p.Files); err != nil {
				p.Files = 0
			}
			c.Snapshots = append(c.Snapshots, p)
		}
	}
}

// hops says who watched what, and when a system was away.
func (v *verification) hops(r *report.Report) {
	count := map[string]uint64{}
	for _, g := range v.seen {
		if g.Kind != "outage" {
			count[g.Hop]++
		}
	}
	list := []report.Hop{
		{Name: "produce-ack", What: "Kafka's answer to each produce batch", Records: r.Records.Acked},
		{
			Name: "consume", What: "a consumer of our own on the topics", Records: r.Records.Consumed,
			Notes: v.file.ConsumerNotes,
		},
	}
	for _, s := range v.plan.Lab.Spark {
		list = append(list, report.Hop{
			Name: "spark " + s.App, What: "Spark's batches, from the checkpoint", Records: count[s.App],
			Notes: []string{fmt.Sprintf("%d batches", count[s.App])},
		})
	}
	for _, s := range v.streams {
		if s.Table != "" {
			list = append(list, report.Hop{
				Name: "table " + s.Table, What: "the table's snapshots, through the catalog", Records: s.result.Seen,
				Notes: []string{fmt.Sprintf("%d snapshots", count[s.Table])},
			})
		}
	}
	if v.plan.followsTable() {
		list = append(list, report.Hop{Name: "store", What: "whether the object store answers"})
	}
	for i := range list {
		h := &list[i]
		h.State = "up"
		for _, g := range v.seen {
			if g.Kind != "outage" || g.Hop != h.Name {
				continue
			}
			to := v.file.Start.Add(time.Duration(g.Until * float64(time.Second)))
			h.Outages = append(h.Outages, report.Outage{
				From: v.file.Start.Add(time.Duration(g.Seen * float64(time.Second))).UTC(), To: to.UTC(), Error: g.Error,
			})
			if g.Until == 0 {
				h.State = "down"
			}
		}
	}
	r.Hops = list
}

// generator says what our own process used, and whether it was the bottleneck:
// more than one record in a hundred left late with nobody else to blame.
func (v *verification) generator(r *report.Report) {
	usage := env.ReadUsage()
	r.Generator.CPU, r.Generator.PeakRSS = usage.CPU.Seconds(), usage.PeakRSS
	for _, s := range v.streams {
		r.Generator.Late += s.file.GeneratorLate
		if s.file.GeneratorLate*100 > s.file.Sent {
			r.Generator.Bottleneck = true
		}
	}
}

func (v *verification) environment() report.Environment {
	e := report.Environment{
		Version: v.about.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(),
		Memory: env.Memory(), Embedded: v.file.Embedded, Lab: v.plan.Lab.Name,
	}
	if host, err := os.Hostname(); err == nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", host, e.CPUs, e.Memory))
		e.Host = fmt.Sprintf("%x", sum[:6])
	}
	for _, f := range v.systems.facts {
		e.Systems = append(e.Systems, report.System{Name: f.Name, Version: f.Version})
	}
	return e
}
