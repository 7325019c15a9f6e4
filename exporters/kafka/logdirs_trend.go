package kafka

import (
	"slices"
	"time"
)

const (
	// trendWindow is how far back the slope of what is left looks, and
	// trendPoints how many values are kept for it.
	trendWindow = 6 * time.Hour
	trendPoints = 64
	// trendLeast is the history without which there is no slope.
	trendLeast = 10 * time.Minute
	// trendMost is what is too far away to be said.
	trendMost = 10 * 365 * 24 * time.Hour
)

// trend is how much was left of one volume over time, in a bounded number of
// points: close together at first, and at most [trendWindow] back.
type trend struct {
	size    float64 // of the volume
	points  []point
	spacing time.Duration
	last    point // the newest, which need not be one of points
}

type point struct {
	at   time.Time
	left float64
}

// add takes what is left now. A volume of another size starts anew.
func (t *trend) add(at time.Time, left, size float64) {
	if size != t.size || at.Before(t.last.at) {
		*t = trend{size: size}
	}
	t.last = point{at, left}
	t.points = slices.DeleteFunc(t.points, func(p point) bool { return at.Sub(p.at) > trendWindow })
	if n := len(t.points); n > 0 && at.Sub(t.points[n-1].at) < t.spacing {
		return
	}
	t.points = append(t.points, t.last)
	if len(t.points) < trendPoints {
		return
	}
	// Half as many points, twice as far from each other.
	kept := t.points[:0]
	for i := 0; i < len(t.points); i += 2 {
		kept = append(kept, t.points[i])
	}
	t.points = kept
	t.spacing = 2 * at.Sub(kept[0].at) / trendPoints
}

// untilZero is when nothing is left, by the least squares of the points. It is
// not known while what is left does not shrink.
func (t *trend) untilZero() (time.Duration, bool) {
	if len(t.points) < 3 || t.last.at.Sub(t.points[0].at) < trendLeast {
		return 0, false
	}
	var n, sx, sy, sxx, sxy float64
	count := func(p point) {
		x := p.at.Sub(t.last.at).Seconds()
		y := p.left - t.last.left // differences, so that large volumes do not cost digits
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	for _, p := range t.points {
		count(p)
	}
	if t.points[len(t.points)-1] != t.last {
		count(t.last)
	}
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx) // bytes per second
	if !(slope < 0) {
		return 0, false
	}
	seconds := t.last.left / -slope
	if seconds > trendMost.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
