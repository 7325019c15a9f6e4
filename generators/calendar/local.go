package calendar

// Local is the clock and the working days of one place.
type Local struct {
	zone    offsets
	free    map[Date]bool
	weekend [2]int
}

// localYears is for how long holidays and changes of the clock are known. After
// that the last offset holds, and every weekday is a working day.
const localYears = 10

// NewLocal returns the calendar of a time zone from a time on, in microseconds
// since the Unix epoch.
func NewLocal(zone string, start int64) (*Local, error) {
	db := openZones()
	if err := db.check(zone); err != nil {
		return nil, err
	}
	loc, _ := db.load(zone)
	from := (start - modulo(start, second)) / second
	l := &Local{zone: offsetsOf(loc, from-week, from+localYears*366*day), free: map[Date]bool{}, weekend: [2]int{5, 6}}
	where := country(zone)
	if where == "KW" {
		l.weekend = [2]int{4, 5}
	}
	year, _, _ := DateOf(from).Civil()
	for y := year - 1; y <= year+localYears; y++ {
		for _, h := range HolidaysOf(where, y) {
			l.free[h.Date] = true
		}
	}
	return l, nil
}

// date is the date on the local clock.
func (l *Local) date(at int64) Date {
	seconds := (at - modulo(at, second)) / second
	return DateOf(seconds + l.zone.at(seconds))
}

// moment is when the local clock shows so many microseconds into a date.
func (l *Local) moment(d Date, into int64) int64 {
	local := int64(d)*day + into/second
	guess := local - l.zone.at(local)
	return (local-l.zone.at(guess))*second + into%second
}

// Working reports whether a date is a working day.
func (l *Local) Working(d Date) bool {
	w := d.Weekday()
	return w != l.weekend[0] && w != l.weekend[1] && !l.free[d]
}

// NextWorkday is the first moment after a time at which the local clock is so
// many microseconds into a working day.
func (l *Local) NextWorkday(at, into int64) int64 {
	d := l.date(at)
	for {
		if when := l.moment(d, into); when > at && l.Working(d) {
			return when
		}
		d++
	}
}

// NextMonthday is the first moment after a time at which the local clock is so
// many microseconds into a day of a month, the last where the month is shorter;
// where workday is set, into the last working day up to it.
func (l *Local) NextMonthday(at int64, number int, into int64, workday bool) int64 {
	year, month, _ := l.date(at).Civil()
	for {
		d := NewDate(year, month, min(number, monthDays(year, month)))
		for workday && !l.Working(d) {
			d--
		}
		if when := l.moment(d, into); when > at {
			return when
		}
		if month++; month > 12 {
			year, month = year+1, 1
		}
	}
}

// NextMonth is a month later, at the same time of the local day.
func (l *Local) NextMonth(at int64) int64 {
	d := l.date(at)
	_, _, number := d.Civil()
	return l.NextMonthday(at+day*second, number, at-l.moment(d, 0), false)
}
