package ui

import (
	"fmt"
	"strings"
	"time"
)

// palette says whether colours are used.
type palette bool

// The colours, as the 256-colour codes nearest to Okabe and Ito's, which
// people who are colour-blind can tell apart.
const (
	blue      = "38;5;39"
	orange    = "38;5;214"
	vermilion = "38;5;202"
	dim       = "2"
	bold      = "1"
)

func (p palette) paint(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// share is how much of the schedule is over, from 0 to 1.
func (f Frame) share() float64 {
	if f.Total <= 0 {
		return 0
	}
	return min(max(float64(f.Elapsed)/float64(f.Total), 0), 1)
}

// clock says how far the run is.
func (f Frame) clock() string {
	if left := f.Total - f.Elapsed; left > 0 {
		return fmt.Sprintf("%s of %s, %s left", Clock(f.Elapsed), Clock(f.Total), Clock(left))
	}
	return fmt.Sprintf("%s, schedule of %s is over", Clock(f.Elapsed), Clock(f.Total))
}

// lines are the ten lines of the view.
func (f Frame) lines(title string, width int, p palette) []string {
	bar := min(max(width-52, 8), 40)
	label := func(s string) string { return "  " + p.paint(dim, fmt.Sprintf("%-10s", s)) }
	known := func(s string) string {
		if s == "" {
			return p.paint(dim, "none yet")
		}
		return Clean(s)
	}
	return []string{
		p.paint(bold, Clean(title)) + "  " + p.paint(blue, f.Phase),
		fmt.Sprintf("  %s %3.0f %%  %s", p.paint(blue, Bar(f.share(), bar)), 100*f.share(), f.clock()),
		label("rate") + f.rates(p),
		label("records") + fmt.Sprintf("%s due   %s sent   %s acknowledged", Count(f.Intended), Count(f.Sent),
			Count(f.Acked)),
		label("in table") + f.table(p),
		label("ack") + spread(p, f.AckP50, f.AckP99, 0),
		label("freshness") + spread(p, f.FreshP50, f.FreshP99, f.FreshMax),
		label("batch") + known(f.Batch),
		label("snapshot") + known(f.Snapshot),
		label("problems") + f.trouble(p),
	}
}

func (f Frame) rates(p palette) string {
	text := fmt.Sprintf("%s intended   %s acknowledged", Rate(f.RateIntended), Rate(f.RateAchieved))
	if f.RateIntended > 0 && f.RateAchieved < 0.9*f.RateIntended && f.Elapsed > 2*time.Second && f.Elapsed < f.Total {
		text += "   " + p.paint(orange, "behind the schedule")
	}
	return text
}

func (f Frame) table(p palette) string {
	if !f.Followed {
		return p.paint(dim, "no table is followed")
	}
	if f.LagRecords == 0 {
		return Count(f.Landed)
	}
	return fmt.Sprintf("%s   %s behind%s", Count(f.Landed), Count(f.LagRecords), f.lagSeconds())
}

// lagSeconds is the lag at the present rate.
func (f Frame) lagSeconds() string {
	if f.RateIntended <= 0 {
		return ""
	}
	return " (" + Seconds(float64(f.LagRecords)/f.RateIntended) + " of traffic)"
}

func spread(p palette, p50, p99, most float64) string {
	var parts []string
	for _, q := range []struct {
		name  string
		value float64
	}{{"p50", p50}, {"p99", p99}, {"max", most}} {
		if q.value > 0 {
			parts = append(parts, q.name+" "+Seconds(q.value))
		}
	}
	if len(parts) == 0 {
		return p.paint(dim, "none yet")
	}
	return strings.Join(parts, "   ")
}

func (f Frame) trouble(p palette) string {
	if len(f.Problems) == 0 {
		return p.paint(blue, Good+" none so far")
	}
	return p.paint(vermilion, Bad+" "+Clean(strings.Join(f.Problems, "; ")))
}

// line is the same in one line, for where there is no terminal.
func (f Frame) line() string {
	parts := []string{
		Clock(f.Elapsed) + "/" + Clock(f.Total), "phase=" + word(f.Phase),
		fmt.Sprintf("rate=%s of %s", Rate(f.RateAchieved), Rate(f.RateIntended)),
		"acked=" + Count(f.Acked),
	}
	if f.Followed {
		parts = append(parts, "table="+Count(f.Landed), "lag="+Count(f.LagRecords)+f.lagSeconds())
		for _, q := range []struct {
			name  string
			value float64
		}{{"p50", f.FreshP50}, {"p99", f.FreshP99}, {"max", f.FreshMax}} {
			if q.value > 0 {
				parts = append(parts, "freshness."+q.name+"="+Seconds(q.value))
			}
		}
	}
	if f.Batch != "" {
		parts = append(parts, "batch="+word(f.Batch))
	}
	if f.Snapshot != "" {
		parts = append(parts, "snapshot="+word(f.Snapshot))
	}
	if len(f.Problems) > 0 {
		parts = append(parts, "problems="+word(strings.Join(f.Problems, "; ")))
	}
	return strings.Join(parts, "  ")
}

// word quotes text that has spaces, as logfmt does.
func word(s string) string {
	s = Clean(s)
	if strings.ContainsAny(s, " \"=") || s == "" {
		return `"` + strings.ReplaceAll(s, `"`, `'`) + `"`
	}
	return s
}
