package report

import "math"

// stage is one bar of the balance, with the differences to the stage before.
type stage struct {
	Name  string
	N     uint64
	Parts []part // from the bottom up
	Lost  []Row  // on the way to this stage
}

// part is a piece of a bar.
type part struct {
	Name    string
	N       uint64
	Kind    string  // good, watch, bad or gone, for the style sheet
	Percent float64 // of the scale of all bars
}

// stages are the four bars, all to one scale: the largest of them.
func (r *Report) stages() []stage {
	c, rows := r.Records, Balance(r.Records)
	extra := c.Duplicate + c.Unexpected
	scale := math.Max(1, float64(max(c.Intended, c.Sent, c.Acked, c.Seen+c.Missing+extra)))
	piece := func(name, kind string, n uint64) part {
		return part{name, n, kind, 100 * float64(n) / scale}
	}
	find := func(names ...string) []Row {
		var out []Row
		for _, name := range names {
			for _, row := range rows {
				if row.Name == name {
					out = append(out, row)
				}
			}
		}
		return out
	}
	odd := min(c.Seen, c.Corrupt+c.Late)
	arrived := []part{piece("arrived as sent", "good", c.Seen-odd)}
	for _, p := range []part{
		piece("late", "watch", min(c.Late, odd)), piece("corrupt", "bad", odd-min(c.Late, odd)),
		piece("missing", "gone", c.Missing), piece("duplicate", "bad", c.Duplicate), piece("unexpected", "bad", c.Unexpected),
	} {
		if p.N > 0 {
			arrived = append(arrived, p)
		}
	}
	return []stage{
		{Name: "intended", N: c.Intended, Parts: []part{piece("intended", "good", c.Intended)}},
		{Name: "sent", N: c.Sent, Parts: []part{piece("sent", "good", c.Sent)}, Lost: find("not sent")},
		{
			Name: "acknowledged", N: c.Acked, Lost: find("failed", "unknown"),
			Parts: []part{piece("acknowledged", "good", c.Acked)},
		},
		{
			Name: r.end(), N: c.Seen, Parts: arrived,
			Lost: find("missing", "duplicate", "corrupt", "late", "unexpected", "unacknowledged", "dead letters"),
		},
	}
}
