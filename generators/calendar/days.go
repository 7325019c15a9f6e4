package calendar

// dates lists what each date is in a country, from first to and with last.
func (r *Rate) dates(country string, first, last Date) []dayOf {
	free := map[Date]bool{}
	firstYear, _, _ := first.Civil()
	lastYear, _, _ := last.Civil()
	for year := firstYear - 1; year <= lastYear+1; year++ {
		for _, h := range HolidaysOf(country, year) {
			free[h.Date] = true
		}
	}
	out := make([]dayOf, last-first+1)
	for i := range out {
		date := first + Date(i)
		out[i] = dayOf{factor: 1, row: int32(date.Weekday())}
		if country == "KW" { // Friday and Saturday are its Saturday and Sunday
			out[i].row = (out[i].row + 1) % 7
		}
		if r.Holidays != nil && free[date] {
			out[i].factor = r.Holidays.Factor
			if r.Holidays.Sunday {
				out[i].row = 6
			}
		}
	}
	pay := make([]float64, len(out))
	for _, p := range r.Paydays {
		// What began before the table reaches into it, and what is due soon
		// after it may be moved into it.
		for i := -2 * maxPaydayDays; i < len(pay)+maxPaydayDays; i++ {
			year, month, d := (first + Date(i)).Civil()
			if d == min(p.Day, monthDays(year, month)) {
				p.spread(pay, p.moved(i, first, country, free))
			}
		}
	}
	for i, f := range pay {
		if f > 0 {
			out[i].factor = float64(out[i].factor * f)
		}
	}
	return out
}

// moved is the day on which a payday of a table falls: the last working day up
// to it, where that is asked for.
func (p *Payday) moved(i int, first Date, country string, free map[Date]bool) int {
	if !p.Workday {
		return i
	}
	off := func(d Date) bool {
		if country == "KW" {
			return free[d] || d.Weekday() == 4 || d.Weekday() == 5
		}
		return free[d] || d.Weekday() >= 5
	}
	for back := range 14 {
		if !off(first + Date(i-back)) {
			return i - back
		}
	}
	return i
}

// spread writes the factors of one payday and of the days after it; where a
// payday was before, the larger stays.
func (p *Payday) spread(pay []float64, from int) {
	days := max(1, p.Days)
	for n := range days {
		if at := from + n; at >= 0 && at < len(pay) {
			rest := float64(days-n) / float64(days)
			pay[at] = max(pay[at], 1+float64((p.Factor-1)*rest))
		}
	}
}
