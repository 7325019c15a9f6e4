package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// The limits of a rate.
const (
	firstStart = int64(946_684_800)   // 2000-01-01
	lastEnd    = int64(5_680_281_600) // 2150-01-01: the holidays of law end here

	minMean = 1e-7 // events a second: three a year
	maxMean = 1e7

	maxZones      = 600
	maxBursts     = 100
	maxPaydays    = 31
	maxPaydayDays = 31
	maxFactorSet  = 1_000
)

// Check says what is wrong with a rate: an error with a hint, or nil.
func (r *Rate) Check() error { return r.check(openZones()) }

func (r *Rate) check(db *database) error {
	if err := checkMean(r.Mean); err != nil {
		return err
	}
	if err := r.checkTime(); err != nil {
		return err
	}
	if err := r.checkCurve(); err != nil {
		return err
	}
	if err := r.checkZones(db); err != nil {
		return err
	}
	if r.Holidays != nil {
		if err := checkFactor("holidays", r.Holidays.Factor); err != nil {
			return err
		}
	}
	if err := r.checkPaydays(); err != nil {
		return err
	}
	return r.checkBursts(db)
}

func checkMean(mean float64) error {
	if !(mean >= minMean && mean <= maxMean) {
		return fail.New(fail.Usage, "give 0.0000001 to 10,000,000 events a second, for example 500",
			"checking a rate: a mean of %v events a second", mean)
	}
	return nil
}

func (r *Rate) checkTime() error {
	switch {
	case r.Start%second != 0 || r.End%second != 0:
		return fail.New(fail.Usage, "leave the fraction of a second out",
			"checking a rate: it begins or ends within a second")
	case r.Start < firstStart*second || r.End > lastEnd*second:
		return fail.New(fail.Usage, "choose a time from 2000 to 2149", "checking a rate: %s to %s is out of range",
			text(r.Start), text(r.End))
	case r.End <= r.Start:
		return fail.New(fail.Usage, "end later than you begin", "checking a rate: from %s to %s there is no time",
			text(r.Start), text(r.End))
	case !(r.Growth > -0.5 && r.Growth <= 1):
		return fail.New(fail.Usage, "0.01 is one per cent more each day", "checking a rate: a growth of %v a day", r.Growth)
	}
	return nil
}

// text is a time as a person reads it.
func text(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339) }

func (r *Rate) checkCurve() error {
	if len(r.Hours) == 0 {
		if _, ok := Curve(r.Curve); !ok {
			return fail.New(fail.Usage, hint(r.Curve, CurveNames()), "checking a rate: there is no curve %q", r.Curve)
		}
		return nil
	}
	if r.Curve != "" {
		return fail.New(fail.Usage, "keep one of them", "checking a rate: both the curve %q and hours of its own", r.Curve)
	}
	if n := len(r.Hours); n != 24 && n != hoursOfWeek {
		return fail.New(fail.Usage, "give 24 weights, the same each day, or 168 from Monday 00 h on",
			"checking a rate: a curve of %d hours", n)
	}
	return checkWeights("curve", r.Hours)
}

func checkWeights(what string, weights []float64) error {
	sum := 0.0
	for i, w := range weights {
		if !(w >= 0 && w <= 1e15) {
			return fail.New(fail.Usage, "weights are numbers from 0 up", "checking a rate: %s: weight %d is %v", what, i, w)
		}
		sum += w
	}
	if !(sum >= 1e-15) {
		return fail.New(fail.Usage, "give at least one weight above 0", "checking a rate: %s: all weights are 0", what)
	}
	return nil
}

func checkFactor(what string, factor float64) error {
	if !(factor >= 0 && factor <= maxFactorSet) {
		return fail.New(fail.Usage, "1.4 is 40 % more and 0.5 is half; give 0 to 1000",
			"checking a rate: %s: a factor of %v", what, factor)
	}
	return nil
}

func (r *Rate) checkZones(db *database) error {
	if len(r.Zones) > maxZones {
		return fail.New(fail.Usage, "name each zone once", "checking a rate: %d zones", len(r.Zones))
	}
	weights := make([]float64, 0, len(r.Zones))
	seen := map[string]bool{}
	for _, z := range r.Zones {
		if err := db.check(z.Name); err != nil {
			return err
		}
		key := z.Name + "/" + z.Country
		switch {
		case z.Country != "" && z.Country != "none" && !slices.Contains(Countries(), z.Country):
			return fail.New(fail.Usage, "known are "+strings.Join(Countries(), ", ")+" and none",
				"checking a rate: the holidays of country %q are not known", z.Country)
		case seen[key]:
			return fail.New(fail.Usage, "add their weights", "checking a rate: zone %q is there twice", z.Name)
		}
		seen[key] = true
		weights = append(weights, z.Weight)
	}
	if len(weights) == 0 {
		return nil
	}
	return checkWeights("zones", weights)
}

// check says whether a zone is known.
func (db *database) check(name string) error {
	if _, ok := db.load(name); ok {
		return nil
	}
	return fail.New(fail.Usage, db.hint(name), "reading time zone %q: there is none of that name", name)
}

// hint names the zone that is most like a word: one of the same city, else one
// spelled alike.
func (db *database) hint(name string) string {
	city := strings.ReplaceAll(strings.ToLower(name), " ", "_")
	for _, known := range db.names {
		if city != "" && strings.HasSuffix(strings.ToLower(known), "/"+city) {
			return fmt.Sprintf("did you mean %q?", known)
		}
	}
	if near := strict.Nearest(name, db.names); near != "" && len(name) > 2 {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return `give an IANA name, for example "Europe/Berlin"`
}

// hint names the known word that is most like one, or all of them.
func hint(word string, known []string) string {
	if near := strict.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(known, ", ")
}

func (r *Rate) checkPaydays() error {
	if len(r.Paydays) > maxPaydays {
		return fail.New(fail.Usage, "name each day of the month once", "checking a rate: %d paydays", len(r.Paydays))
	}
	for _, p := range r.Paydays {
		if p.Day < 1 || p.Day > 31 {
			return fail.New(fail.Usage, "give a day from 1 to 31; 31 is the last of every month",
				"checking a rate: a payday on day %d of the month", p.Day)
		}
		if p.Days < 0 || p.Days > maxPaydayDays {
			return fail.New(fail.Usage, "give 1 to 31 days",
				"checking a rate: the payday on day %d lasts %d days", p.Day, p.Days)
		}
		if err := checkFactor("payday", p.Factor); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rate) checkBursts(db *database) error {
	if len(r.Bursts) > maxBursts {
		return fail.New(fail.Usage, "put what repeats on a day of the week", "checking a rate: %d bursts", len(r.Bursts))
	}
	for _, given := range r.Bursts {
		b, err := parseBurst(given.At)
		if err != nil {
			return fail.Wrap(fmt.Errorf("checking a rate: reading when a burst begins, %q: %w", given.At, err), fail.Usage,
				`write "Fri 18:00", "18:00", "2026-11-27" or "2026-11-27 08:00"`)
		}
		longest := time.Duration(366*day) * time.Second
		if b.period > 0 {
			longest = time.Duration(b.period) * time.Second
		}
		if given.For < time.Second || given.For%time.Second != 0 || given.For > longest {
			return fail.New(fail.Usage, fmt.Sprintf("give whole seconds up to %s", longest),
				"checking a rate: the burst at %q lasts %s", given.At, given.For)
		}
		if err := checkFactor(fmt.Sprintf("burst at %q", given.At), given.Factor); err != nil {
			return err
		}
		if given.Zone != "" {
			if err := db.check(given.Zone); err != nil {
				return err
			}
		}
	}
	return nil
}

func tooMuch(at int64) error {
	return fail.New(fail.Usage, "lower the growth or the bursts, or end earlier",
		"checking a rate: by %s it has grown beyond %d times the mean", text(at*second), maxFactor)
}

func nothing() error {
	return fail.New(fail.Usage, "raise the curve or the factors, or choose a longer time",
		"checking a rate: nothing happens from its beginning to its end")
}
