package calendar

// britain: Banking and Financial Dealings Act 1971, schedule 1, for England and
// Wales, and the proclamations that add to it.
func (b *yearOf) britain() {
	b.moved(b.on(1, 1, newYear), newYear)
	b.after(goodFriday, goodFridayName)
	b.after(easterMonday, "Easter Monday")
	if b.year == 2020 {
		b.on(5, 8, "Early May, for Victory in Europe Day")
	} else {
		b.nth(5, monday0, 1, "Early May")
	}
	switch b.year {
	case 2002:
		b.on(6, 4, "Spring")
		b.on(6, 3, "Golden Jubilee")
	case 2012:
		b.on(6, 4, "Spring")
		b.on(6, 5, "Diamond Jubilee")
	case 2022:
		b.on(6, 2, "Spring")
		b.on(6, 3, "Platinum Jubilee")
		b.on(9, 19, "State Funeral")
	default:
		b.nth(5, monday0, lastOfMonth, "Spring")
	}
	switch b.year {
	case 2011:
		b.on(4, 29, "Royal Wedding")
	case 2023:
		b.on(5, 8, "Coronation")
	}
	b.nth(8, monday0, lastOfMonth, "Summer")
	day, boxing := b.on(12, 25, christmas), b.on(12, 26, "Boxing Day")
	b.moved(day, christmas)
	b.moved(boxing, "Boxing Day")
}

// moved adds the working day that stands in for a holiday on a weekend.
func (b *yearOf) moved(d Date, name string) {
	if d.Weekday() >= saturday {
		b.free(d+1, name)
	}
}

// free adds the first working day from a date on.
func (b *yearOf) free(from Date, name string) {
	for from.Weekday() >= saturday || b.has(from) {
		from++
	}
	b.add(from, name+substitute)
}

// states: 5 U.S.C. 6103 and Executive Order 11582.
func (b *yearOf) states() {
	b.observed(b.on(1, 1, newYear), newYear)
	b.nth(1, monday0, 3, "Birthday of Martin Luther King, Jr.")
	b.nth(2, monday0, 3, "Washington's Birthday")
	b.nth(5, monday0, lastOfMonth, "Memorial Day")
	if b.year >= 2021 {
		b.observed(b.on(6, 19, "Juneteenth"), "Juneteenth")
	}
	b.observed(b.on(7, 4, "Independence Day"), "Independence Day")
	b.nth(9, monday0, 1, labour)
	b.nth(10, monday0, 2, "Columbus Day")
	b.observed(b.on(11, 11, "Veterans Day"), "Veterans Day")
	b.nth(11, thursday, 4, "Thanksgiving Day")
	b.observed(b.on(12, 25, christmas), christmas)
	if next := NewDate(b.year+1, 1, 1); next.Weekday() == saturday {
		b.add(next-1, newYear+substitute)
	}
}

// observed adds the Friday before a Saturday and the Monday after a Sunday.
func (b *yearOf) observed(d Date, name string) {
	switch d.Weekday() {
	case saturday:
		if year, _, _ := (d - 1).Civil(); year == b.year { // else the year before has it
			b.add(d-1, name+substitute)
		}
	case sunday:
		b.add(d+1, name+substitute)
	}
}
