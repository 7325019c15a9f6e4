package calendar

// japan: the Act on National Holidays (Act 178 of 1948) and the special acts of
// 2019, 2020 and 2021.
func (b *yearOf) japan() {
	b.on(1, 1, newYear)
	b.nth(1, monday0, 2, "Coming of Age Day")
	b.on(2, 11, "Foundation Day")
	switch {
	case b.year >= 2020:
		b.on(2, 23, "Emperor's Birthday")
	case b.year < 2019:
		b.on(12, 23, "Emperor's Birthday")
	default:
		b.on(5, 1, "Enthronement")
		b.on(10, 22, "Enthronement Ceremony")
	}
	b.on(3, equinox(b.year, 20_843_100, 21_851_000), "Vernal Equinox Day")
	b.on(4, 29, "Showa Day")
	b.on(5, 3, "Constitution Day")
	b.since(2007, 5, 4, "Greenery Day")
	b.on(5, 5, "Children's Day")
	b.japaneseGames()
	b.nth(9, monday0, 3, "Respect for the Aged Day")
	b.on(9, equinox(b.year, 23_248_800, 24_248_800), "Autumnal Equinox Day")
	b.on(11, 3, "Culture Day")
	b.on(11, 23, "Labour Thanksgiving Day")

	// Article 3 (2): the first day that is none after one on a Sunday; (3): a
	// day between two holidays.
	for _, h := range b.list {
		if h.Date.Weekday() == sunday {
			d := h.Date + 1
			for b.has(d) {
				d++
			}
			b.add(d, h.Name+substitute)
		}
	}
	for _, h := range b.list {
		if b.has(h.Date+2) && !b.has(h.Date+1) && (h.Date+1).Weekday() != sunday {
			b.add(h.Date+1, "Citizens' Holiday")
		}
	}
}

// japaneseGames adds the days that the Olympic games of Tokyo moved.
func (b *yearOf) japaneseGames() {
	switch b.year {
	case 2020:
		b.on(7, 23, "Marine Day")
		b.on(7, 24, "Sports Day")
		b.on(8, 10, "Mountain Day")
	case 2021:
		b.on(7, 22, "Marine Day")
		b.on(7, 23, "Sports Day")
		b.on(8, 8, "Mountain Day")
	default:
		b.nth(7, monday0, 3, "Marine Day")
		b.since(2016, 8, 11, "Mountain Day")
		b.nth(10, monday0, 2, "Sports Day")
	}
}

// equinox is the day of the month of an equinox in Japan, by the straight line
// that the astronomers' almanacs follow from 1980 to 2099, and by that of 2100
// to 2150: where it lies in 1980, in millionths of a day.
func equinox(year, until2099, from2100 int) int {
	base := until2099
	if year >= 2100 {
		base = from2100
	}
	return (base+242_194*(year-1980))/1_000_000 - (year-1980)/4
}

// korea: the Regulations on Holidays of Public Offices (Presidential Decree),
// articles 2 and 3, with the days that came back in 2026; and elections and
// days of the past that were granted once.
func (b *yearOf) korea() {
	const child = "Children's Day"
	b.on(1, 1, newYear)
	newMoon, buddha, harvest := lunar(b.year)
	for i := Date(-1); i <= 1; i++ {
		b.add(newMoon+i, "Korean New Year")
		b.add(harvest+i, "Chuseok")
	}
	b.on(6, 6, "Memorial Day")
	type movable struct {
		month, day, since int
		name              string
	}
	fixed := []movable{
		{3, 1, 2022, "Independence Movement Day"},
		{5, 5, 2014, child},
		{8, 15, 2021, "Liberation Day"},
		{10, 3, 2021, "National Foundation Day"},
		{12, 25, 2023, christmas},
	}
	if b.year >= 2013 {
		fixed = append(fixed, movable{10, 9, 2021, "Hangul Day"})
	}
	if b.year >= 2026 {
		fixed = append(fixed, movable{5, 1, 2026, labour}, movable{7, 17, 2026, "Constitution Day"})
	}
	for _, h := range fixed {
		b.on(h.month, h.day, h.name)
	}
	b.add(buddha, "Buddha's Birthday")
	b.koreanOnce()

	// Substitutes come last: they fall on days that are none yet.
	b.koreanFeast(newMoon, "Korean New Year")
	b.koreanFeast(harvest, "Chuseok")
	if b.year >= 2023 {
		b.moved(buddha, "Buddha's Birthday")
	}
	for _, h := range fixed {
		switch d := NewDate(b.year, h.month, h.day); {
		case b.year < h.since:
		case h.name == child && d == buddha:
			b.free(d+1, child)
		default:
			b.moved(d, h.name)
		}
	}
}

// koreanFeast adds a day for each of the three of a feast that is a Sunday, and
// for each that is another holiday.
func (b *yearOf) koreanFeast(middle Date, name string) {
	if b.year < 2014 {
		return
	}
	for d := middle - 1; d <= middle+1; d++ {
		if d.Weekday() == sunday {
			b.free(middle+2, name)
		}
		if b.twice(d) {
			b.free(middle+2, name)
		}
	}
}

// twice reports whether two holidays share a date.
func (b *yearOf) twice(d Date) bool {
	n := 0
	for _, h := range b.list {
		if h.Date == d {
			n++
		}
	}
	return n > 1
}

// koreanOnce adds elections and days that were granted once, of the years in
// which the program's users are most likely to look.
func (b *yearOf) koreanOnce() {
	const election = "Election Day"
	switch b.year {
	case 2020:
		b.on(4, 15, election)
		b.on(8, 17, "Temporary Holiday")
	case 2022:
		b.on(3, 9, election)
		b.on(6, 1, election)
	case 2023:
		b.on(10, 2, "Temporary Holiday")
	case 2024:
		b.on(4, 10, election)
		b.on(10, 1, "Armed Forces Day")
	case 2025:
		b.on(1, 27, "Temporary Holiday")
		b.on(6, 3, election)
	case 2026:
		b.on(6, 3, election)
	}
}

// lunarDays are the days of the Korean lunar calendar from 2000 to 2050, three
// letters a year with the values 0-9 and a-z: New Year, in days from 20
// January; Buddha's Birthday (8th of the 4th month), in days from New Year less
// 95; Chuseok (15th of the 8th), in days from New Year less 218. They were
// checked against the new moons as Seoul's clocks see them.
const lunarDays = "g12 42w n13 c14 2uw k03 91w t01 i02 61w p12 e13 3vx l13 b02 u02 j12 80v r02 g12 51w n13 c13 " +
	"2uw l02 91w s12 i02 71w o13 e03 3ux m03 b02 u02 j12 81w q13 f13 41x n14 c03 2tv l01 a1v s12 h13 61x p13 d13 3uw"

// lunar returns New Year, Buddha's Birthday and Chuseok of a year. Outside of
// the table the moon's cycle of 19 years is followed, which errs by a day now
// and then.
func lunar(year int) (newMoon, buddha, harvest Date) {
	const years = len(lunarDays)/4 + 1
	like := 2000 + int(modulo(int64(year)-2000, 19))
	if year >= 2000 && year < 2000+years {
		like = year
	} else if year >= 2000+years {
		like = 2032 + int(modulo(int64(year)-2032, 19))
	}
	value := func(i int) Date {
		c := lunarDays[4*(like-2000)+i]
		if c <= '9' {
			return Date(c - '0')
		}
		return Date(c-'a') + 10
	}
	newMoon = NewDate(year, 1, 20) + value(0)
	return newMoon, newMoon + 95 + value(1), newMoon + 218 + value(2)
}

// kuwait: Law 6/2010 on labour in the private sector, article 68, with the
// feasts of the Islamic calendar. Their days are announced when the moon is
// seen; these follow the calendar of Umm al-Qura, which the announcements
// mostly do.
func (b *yearOf) kuwait() {
	b.on(1, 1, newYear)
	b.on(2, 25, "National Day")
	b.on(2, 26, "Liberation Day")
	hijri := (b.year - 622) * 33 / 32 // within a year
	for y := hijri - 1; y <= hijri+2; y++ {
		for i, feast := range islamicFeasts() {
			first := islamic(y, i, feast.month, feast.day)
			for d := range Date(feast.days) {
				if at, _, _ := (first + d).Civil(); at == b.year {
					b.add(first+d, feast.name)
				}
			}
		}
	}
}

// feast is a holiday of the Islamic calendar.
type feast struct {
	month, day, days int
	name             string
}

func islamicFeasts() [5]feast {
	return [5]feast{
		{1, 1, 1, "Islamic New Year"},
		{3, 12, 1, "Birthday of the Prophet"},
		{7, 27, 1, "Isra and Miraj"},
		{10, 1, 3, "Eid al-Fitr"},
		{12, 9, 4, "Arafah and Eid al-Adha"},
	}
}

// ummAlQura is how many days the calendar of Umm al-Qura is ahead of the
// arithmetic one, and two, for each feast of the years 1420 to 1473 (April 1999
// to September 2051).
const ummAlQura = "22122 21011 22111 22211 11211 11222 22222 21112 22122 22111 22211 22221 11211 11222 22222 11111 " +
	"22211 11110 11211 11221 11211 11222 22222 11111 22211 22321 11211 11222 11111 21112 22212 12111 " +
	"12211 22222 11211 21222 22222 22111 22211 12101 12211 22222 11111 22112 22212 22101 22211 11211 " +
	"11211 21222 11112 22112 22212 11211"

// islamic is the date of feast i: by the arithmetic calendar (months of 30 and
// 29 days in turn, 11 leap years in 30), set right by the table as far as it
// goes.
func islamic(year, i, month, day int) Date {
	d := day + (59*(month-1)+1)/2 + 354*(year-1) + (3+11*year)/30 - 492_149
	if at := 6*(year-1420) + i; year >= 1420 && at < len(ummAlQura) {
		d += int(ummAlQura[at]-'0') - 2
	}
	return Date(d)
}
