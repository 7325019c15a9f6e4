package realism

import (
	"slices"
	"time"
)

const (
	hoursOfDay = 24
	daysOfWeek = 7
	dayMicros  = 86_400_000_000
)

// calendar counts by the customers' local days.
type calendar struct {
	days    map[int32]*day
	now     *day
	zoneMin int32
	zoneMax int32
	started bool
	outside uint64
	acts    uint64
}

// day is one local day.
type day struct {
	number         int32
	acts, spent    uint32
	records, fraud uint32
	hours          [hoursOfDay]uint32 // of what customers began
}

func newCalendar() calendar { return calendar{days: map[int32]*day{}} }

func (c *calendar) observe(s *seen) {
	if !c.started {
		c.zoneMin, c.zoneMax, c.started = s.Zone, s.Zone, true
	}
	c.zoneMin, c.zoneMax = min(c.zoneMin, s.Zone), max(c.zoneMax, s.Zone)
	d := c.now
	if d == nil || d.number != s.day {
		if d = c.days[s.day]; d == nil {
			if len(c.days) >= maxDays {
				c.outside++
				return
			}
			d = &day{number: s.day}
			c.days[s.day] = d
		}
		c.now = d
	}
	d.records++
	if s.Label == Fraud {
		d.fraud++
	}
	if s.acts {
		c.acts++
		d.acts++
		d.hours[s.minute/60]++
	}
	if s.spends() {
		d.spent++
	}
}

// spends reports whether a record is a customer's own spending.
func (s *seen) spends() bool { return s.acts && (s.role == Purchase || s.role == Cash) }

// sorted are the days in their order.
func (c *calendar) sorted() []*day {
	out := make([]*day, 0, len(c.days))
	for _, d := range c.days {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *day) int { return int(a.number - b.number) })
	return out
}

// whole are the days that the stream covers in every time zone. A quarter of
// an hour may lack at either end.
func (m *Meter) wholeDays() []*day {
	const slack = 900_000_000
	c := &m.days
	first := m.first + int64(c.zoneMax)*1_000_000 - slack
	last := m.last + int64(c.zoneMin)*1_000_000 + slack
	return slices.DeleteFunc(c.sorted(), func(d *day) bool {
		return int64(d.number)*dayMicros < first || int64(d.number+1)*dayMicros > last
	})
}

// settledDays are those of them on which the hours and weekdays hold.
func (m *Meter) settledDays() []*day {
	return slices.DeleteFunc(m.wholeDays(), func(d *day) bool { return int64(d.number)*dayMicros < m.opt.Expect.Settled })
}

// wanted are the weights of the hours and weekdays of some days, as configured.
func (m *Meter) wanted(days []*day) (hours, weekdays []float64) {
	rate := m.opt.Expect.Rate
	if rate == nil {
		return m.opt.Expect.Hours, m.opt.Expect.Weekdays
	}
	const hour = dayMicros / hoursOfDay
	hours, weekdays = make([]float64, hoursOfDay), make([]float64, daysOfWeek)
	sum := 0.0
	for _, d := range days {
		for h := range hours {
			for quarter := range int64(4) {
				weight := rate(int64(d.number)*dayMicros + int64(h)*hour + hour/8 + quarter*hour/4)
				hours[h] += weight
				weekdays[weekdayOf(d.number)] += weight
				sum += weight
			}
		}
	}
	if sum == 0 {
		return nil, nil
	}
	return hours, weekdays
}

// hourCurve compares the hours of whole days with the settings.
func (m *Meter) hourCurve() Measure {
	out := Measure{
		Name: "hour_curve", Title: "Hours of the day", Group: groupTime, High: new(bandHours),
		Published: "mobile money: peak hour 12.9 %, 04-06 h about 0 %; transfers: 08 h 25.9 %, 04 h 0.31 %",
		Source:    "PaySim's operator file, FinBench hourDistribution",
	}
	days := m.settledDays()
	wantHours, _ := m.wanted(days)
	var hours [hoursOfDay]uint64
	for _, d := range days {
		for h, n := range d.hours {
			hours[h] += uint64(n)
			out.Samples += uint64(n)
		}
	}
	switch {
	case len(wantHours) == 0 && (len(days) > 0 || m.opt.Expect.Rate == nil):
		return out.unmeasured("no curve of hours is configured")
	case len(days) == 0:
		return out.unmeasured("the stream holds no whole day of all its time zones after its beginning")
	case out.Samples < 30_000: // the mean distance by chance alone is 0.87/√n
		return out.unmeasured("%s records on %d whole days are too few", count(out.Samples), len(days))
	}
	want := shares(wantHours)
	distance, got, expected := 0.0, 0.0, 0.0
	worst := 0
	for h := range hours {
		got += ratio(hours[h], out.Samples)
		expected += want[h]
		if d := max(got-expected, expected-got); d > distance {
			distance, worst = d, h
		}
	}
	out.score("KSComplement", "hour", 1-distance, out.Samples)
	return out.judge(distance, "the hours of %d whole days are at most %s away from the configured curve, by %02d:00",
		len(days), number(distance), worst+1)
}

// shares are weights that sum up to one.
func shares(weights []float64) []float64 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	out := make([]float64, len(weights))
	for i, w := range weights {
		out[i] = w / sum
	}
	return out
}

// weekdayOf is 0 for a Monday.
func weekdayOf(day int32) int {
	w := (int(day) + 3) % daysOfWeek // the epoch was a Thursday
	if w < 0 {
		w += daysOfWeek
	}
	return w
}

// weeks are as many whole weeks as days that follow each other hold.
func weeks(days []*day) []*day {
	if len(days) > 0 && int(days[len(days)-1].number-days[0].number) != len(days)-1 {
		return nil // a day is missing altogether
	}
	return days[:len(days)/daysOfWeek*daysOfWeek]
}

// weekdayCurve compares the days of the week with the settings.
func (m *Meter) weekdayCurve() Measure {
	out := Measure{
		Name: "weekday_curve", Title: "Days of the week", Group: groupTime, High: new(bandWeekdays),
		Published: "none that fits every bank", Source: "the configuration",
	}
	days := weeks(m.settledDays())
	_, wantDays := m.wanted(days)
	var counts [daysOfWeek]uint64
	for _, d := range days {
		counts[weekdayOf(d.number)] += uint64(d.acts)
		out.Samples += uint64(d.acts)
	}
	switch {
	case len(m.opt.Expect.Weekdays) == 0 && m.opt.Expect.Rate == nil:
		return out.unmeasured("no curve of weekdays is configured")
	case len(days) < 2*daysOfWeek:
		return out.unmeasured("the stream holds %d whole weeks; 2 are needed", len(days)/daysOfWeek)
	}
	want := shares(wantDays)
	if noise := mixNoise(want, out.Samples); noise > bandWeekdays/2 {
		return out.unmeasured("%s records differ from any curve by %s by chance alone", count(out.Samples), number(noise))
	}
	got := make([]float64, daysOfWeek)
	for i, n := range counts {
		got[i] = ratio(n, out.Samples)
	}
	d := variation(got, want)
	out.score("TVComplement", "weekday", 1-d, out.Samples)
	return out.judge(d, "the weekdays of %d whole weeks are %s away from the configured ones",
		len(days)/daysOfWeek, number(d))
}

// payday compares spending on days with income with that of other days.
func (m *Meter) payday() Measure {
	out := Measure{
		Name: "payday_ratio", Title: "Spending on payday", Group: groupTime,
		Published: "more than half of all people spend over 25 % more on payday", Source: "Pagel and Vardardottir, Columbia",
	}
	out.band(1.25, 1.7)
	on, onDays, off, offDays := m.paydayOfAccounts()
	if len(m.opt.Expect.Paydays) > 0 {
		on, onDays, off, offDays = m.paydayOfMonth()
	}
	out.Samples = uint64(on + off)
	const enough = 1_000 // on either side: three standard errors are 13 %
	switch {
	case onDays == 0 || offDays == 0:
		return out.unmeasured("no account shows income, and no days of the month are configured")
	case len(weeks(m.wholeDays())) < fewWeeks*daysOfWeek:
		return out.unmeasured("paydays cannot be told from weekdays in fewer than %d whole weeks", fewWeeks)
	case on < enough || off < enough:
		return out.unmeasured("%s purchases on paydays and %s on other days; %s of each are needed",
			count(int64(on)), count(int64(off)), count(enough))
	}
	value := float64(on / onDays * offDays / off)
	return out.judge(value, "customers spend %s times as often on payday as on other days", number(value))
}

// paydayOfAccounts takes each account's own days with income.
func (m *Meter) paydayOfAccounts() (on, onDays, off, offDays float64) {
	days, weights := m.days.sorted(), m.weekdayWeights()
	span := 0.0
	for _, d := range days {
		span += weights[weekdayOf(d.number)]
	}
	for i := range m.people.items {
		p := &m.people.items[i]
		paid, weight := 0, 0.0
		for weekday, n := range p.paydays {
			paid += int(n)
			weight += float64(float64(n) * weights[weekday])
		}
		if paid == 0 || len(days) <= paid {
			continue
		}
		on += float64(p.paidSpent)
		onDays += weight
		off += float64(p.spent - p.paidSpent)
		offDays += span - weight
	}
	return on, onDays, off, offDays
}

// paydayOfMonth takes the configured days of the month.
func (m *Meter) paydayOfMonth() (on, onDays, off, offDays float64) {
	weights := m.weekdayWeights()
	for _, d := range m.wholeDays() {
		date := time.Unix(int64(d.number)*86_400, 0).UTC()
		next := date.AddDate(0, 1, -date.Day()).Day() // of the month's last day
		weight := weights[weekdayOf(d.number)]
		if slices.Contains(m.opt.Expect.Paydays, date.Day()) ||
			slices.Contains(m.opt.Expect.Paydays, date.Day()-next-1) {
			on, onDays = on+float64(d.spent), onDays+weight
		} else {
			off, offDays = off+float64(d.spent), offDays+weight
		}
	}
	return on, onDays, off, offDays
}

// fewWeeks is how many there must be so that a payday is one of several of its
// weekday.
const fewWeeks = 4

// weekdayWeights are how much is spent on a day of each weekday, so that a payday
// that falls on a Friday is held against Fridays. They are medians, which paydays
// hardly change.
func (m *Meter) weekdayWeights() (out [daysOfWeek]float64) {
	var spent [daysOfWeek][]uint32
	for _, d := range m.wholeDays() {
		w := weekdayOf(d.number)
		spent[w] = append(spent[w], d.spent)
	}
	sum, few := 0.0, false
	for w, all := range spent {
		few = few || len(all) < fewWeeks
		if !few {
			slices.Sort(all)
			out[w] = float64(all[(len(all)-1)/2]+all[len(all)/2]) / 2
			sum += out[w]
		}
	}
	for w := range out {
		if out[w] = out[w] / sum * daysOfWeek; few || !(out[w] > 0) {
			return [daysOfWeek]float64{1, 1, 1, 1, 1, 1, 1}
		}
	}
	return out
}
