package calendar

// dates lists what each date is in a country, from first to and with last.
func (r *Rate) dates(country string, first, last Date) []dayOf {
	free := freeDays(country, first, last)
	pay := make([]float64, last-first+1)
	for i := range r.Paydays {
		r.Paydays[i].pay(pay, first, country, free)
	}
	out := make([]dayOf, len(pay))
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
		if pay[i] > 0 {
			out[i].factor = float64(out[i].factor * pay[i])
		}
	}
	return out
}

// freeDays are the holidays of a country in the years of two dates, and in
// those before and after.
func freeDays(country string, first, last Date) map[Date]bool {
	out := map[Date]bool{}
	from, _, _ := first.Civil()
	to, _, _ := last.Civil()
	for year := from - 1; year <= to+1; year++ {
		for _, h := range HolidaysOf(country, year) {
			out[h.Date] = true
		}
	}
	return out
}

// pay writes the factors of a payday into a table of dates. What began before
// the table reaches into it, and what is due soon after may be moved into it.
func (p *Payday) pay(table []float64, first Date, country string, free map[Date]bool) {
	for i := -2 * maxPaydayDays; i < len(table)+maxPaydayDays; i++ {
		year, month, d := (first + Date(i)).Civil()
		if d == min(p.Day, monthDays(year, month)) {
			p.spread(table, p.moved(i, first, country, free))
		}
	}
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
