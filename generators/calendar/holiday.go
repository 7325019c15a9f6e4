package calendar

import (
	"cmp"
	"slices"
)

// Holiday is a public holiday.
type Holiday struct {
	Date Date
	Name string // in English
}

// Countries are those whose public holidays are known, as ISO 3166-1 codes.
func Countries() []string {
	return []string{"BR", "CH", "DE", "ES", "FR", "GB", "IT", "JP", "KR", "KW", "NL", "PL", "SE", "US"}
}

// HolidaysOf lists the public holidays of a country in a year, in the order of
// their dates: those of the whole country (GB: of England and Wales), by the
// law that holds in that year, at least from 2007 on. A day that stands in for
// one on a weekend is listed beside it. Sundays, half days, days of single
// regions and days off that a government grants once are not, but for those
// past that are named below.
func HolidaysOf(country string, year int) []Holiday {
	b := &yearOf{year: year, easter: Easter(year)}
	switch country {
	case "BR":
		b.brazil()
	case "CH":
		b.switzerland()
	case "DE":
		b.germany()
	case "ES":
		b.spain()
	case "FR":
		b.france()
	case "GB":
		b.britain()
	case "IT":
		b.italy()
	case "JP":
		b.japan()
	case "KR":
		b.korea()
	case "KW":
		b.kuwait()
	case "NL":
		b.netherlands()
	case "PL":
		b.poland()
	case "SE":
		b.sweden()
	case "US":
		b.states()
	}
	slices.SortStableFunc(b.list, func(x, y Holiday) int { return cmp.Compare(x.Date, y.Date) })
	return b.list
}

// Easter is the Sunday of Easter in the Gregorian calendar, by the rule of the
// calendar's reform: the first Sunday after the ecclesiastical full moon on or
// after 21 March.
func Easter(year int) Date {
	century := year / 100
	// The age of the moon on 21 March follows a cycle of 19 years, shifted by
	// the leap days that were left out and the slow drift of the cycle itself.
	solar := century - century/4
	lunar := (8*century + 13) / 25
	moon := (19*(year%19) + solar - lunar + 15) % 30
	if moon == 29 || moon == 28 && year%19 > 10 {
		moon-- // the full moon is on 18 April at the latest, and no two alike
	}
	full := NewDate(year, 3, 21) + Date(moon)
	return full + Date(7-(full.Weekday()+1)%7)
}

// yearOf collects the holidays of a year.
type yearOf struct {
	year   int
	easter Date
	list   []Holiday
}

func (b *yearOf) add(d Date, name string) { b.list = append(b.list, Holiday{d, name}) }

// on adds a holiday of fixed date.
func (b *yearOf) on(month, day int, name string) Date {
	d := NewDate(b.year, month, day)
	b.add(d, name)
	return d
}

// since adds a holiday of fixed date from a year on.
func (b *yearOf) since(year, month, day int, name string) {
	if b.year >= year {
		b.on(month, day, name)
	}
}

// after adds a holiday so many days after Easter.
func (b *yearOf) after(days int, name string) { b.add(b.easter+Date(days), name) }

// nth adds the n-th given weekday of a month; -1 is the last.
func (b *yearOf) nth(month, weekday, n int, name string) { b.add(nth(b.year, month, weekday, n), name) }

// has reports whether a date is a holiday so far.
func (b *yearOf) has(d Date) bool {
	return slices.ContainsFunc(b.list, func(h Holiday) bool { return h.Date == d })
}

// The feasts that move with Easter, in days from it.
const (
	goodFriday     = -2
	easterSunday   = 0
	easterMonday   = 1
	ascension      = 39
	pentecost      = 49
	whitMonday     = 50
	corpusChristi  = 60
	newYear        = "New Year's Day"
	epiphany       = "Epiphany"
	labour         = "Labour Day"
	assumption     = "Assumption Day"
	allSaints      = "All Saints' Day"
	immaculate     = "Immaculate Conception"
	christmas      = "Christmas Day"
	secondOfYule   = "Second Day of Christmas"
	substitute     = " (in its stead)"
	monday0        = 0
	thursday       = 3
	friday         = 4
	saturday       = 5
	sunday         = 6
	lastOfMonth    = -1
	goodFridayName = "Good Friday"
)

// germany: the Länder's laws, where all agree, and the Unification Treaty,
// article 2 (2).
func (b *yearOf) germany() {
	b.on(1, 1, newYear)
	b.after(goodFriday, goodFridayName)
	b.after(easterMonday, "Easter Monday")
	b.on(5, 1, labour)
	b.after(ascension, "Ascension Day")
	b.after(whitMonday, "Whit Monday")
	b.on(10, 3, "Day of German Unity")
	if b.year == 2017 {
		b.on(10, 31, "Reformation Day") // 500 years, once in all Länder
	}
	b.on(12, 25, christmas)
	b.on(12, 26, secondOfYule)
}

// france: Code du travail, article L3133-1.
func (b *yearOf) france() {
	b.on(1, 1, newYear)
	b.after(easterMonday, "Easter Monday")
	b.on(5, 1, labour)
	b.on(5, 8, "Victory Day")
	b.after(ascension, "Ascension Day")
	b.after(whitMonday, "Whit Monday")
	b.on(7, 14, "National Day")
	b.on(8, 15, assumption)
	b.on(11, 1, allSaints)
	b.on(11, 11, "Armistice Day")
	b.on(12, 25, christmas)
}

// spain: Real Decreto 2001/1983, article 45, the days of all communities.
func (b *yearOf) spain() {
	b.on(1, 1, newYear)
	b.on(1, 6, epiphany)
	b.after(goodFriday, goodFridayName)
	b.on(5, 1, labour)
	b.on(8, 15, assumption)
	b.on(10, 12, "National Day")
	b.on(11, 1, allSaints)
	b.on(12, 6, "Constitution Day")
	b.on(12, 8, immaculate)
	b.on(12, 25, christmas)
}

// netherlands: Algemene termijnenwet, article 3; Liberation Day is a day off
// every five years.
func (b *yearOf) netherlands() {
	b.on(1, 1, newYear)
	b.after(goodFriday, goodFridayName)
	b.after(easterSunday, "Easter Sunday")
	b.after(easterMonday, "Easter Monday")
	king, name := NewDate(b.year, 4, 27), "King's Day"
	if b.year < 2014 {
		king, name = NewDate(b.year, 4, 30), "Queen's Day"
	}
	if king.Weekday() == sunday {
		king--
	}
	b.add(king, name)
	if b.year%5 == 0 {
		b.on(5, 5, "Liberation Day")
	}
	b.after(ascension, "Ascension Day")
	b.after(pentecost, "Pentecost")
	b.after(whitMonday, "Whit Monday")
	b.on(12, 25, christmas)
	b.on(12, 26, secondOfYule)
}

// italy: Legge 260/1949, article 2, and its changes; Saint Francis by Legge
// 151/2025.
func (b *yearOf) italy() {
	b.on(1, 1, newYear)
	b.on(1, 6, epiphany)
	b.after(easterSunday, "Easter Sunday")
	b.after(easterMonday, "Easter Monday")
	b.on(4, 25, "Liberation Day")
	b.on(5, 1, labour)
	b.on(6, 2, "Republic Day")
	b.on(8, 15, assumption)
	b.since(2026, 10, 4, "Saint Francis of Assisi")
	b.on(11, 1, allSaints)
	b.on(12, 8, immaculate)
	b.on(12, 25, christmas)
	b.on(12, 26, "Saint Stephen's Day")
}

// switzerland: the days that all cantons keep: Federal Constitution, article
// 110 (3), and cantonal laws.
func (b *yearOf) switzerland() {
	b.on(1, 1, newYear)
	b.after(ascension, "Ascension Day")
	b.on(8, 1, "National Day")
	b.on(12, 25, christmas)
}

// sweden: Lag (1989:253) om allmänna helgdagar.
func (b *yearOf) sweden() {
	b.on(1, 1, newYear)
	b.on(1, 6, epiphany)
	b.after(goodFriday, goodFridayName)
	b.after(easterSunday, "Easter Sunday")
	b.after(easterMonday, "Easter Monday")
	b.on(5, 1, labour)
	b.after(ascension, "Ascension Day")
	b.after(pentecost, "Pentecost")
	if b.year >= 2005 {
		b.on(6, 6, "National Day")
	} else {
		b.after(whitMonday, "Whit Monday")
	}
	b.add(firstFrom(NewDate(b.year, 6, 20), saturday), "Midsummer Day")
	b.add(firstFrom(NewDate(b.year, 10, 31), saturday), allSaints)
	b.on(12, 25, christmas)
	b.on(12, 26, secondOfYule)
}

// firstFrom is the first given weekday on or after a date.
func firstFrom(d Date, weekday int) Date { return d + Date((weekday-d.Weekday()+7)%7) }

// poland: Ustawa z dnia 18 stycznia 1951 r. o dniach wolnych od pracy.
func (b *yearOf) poland() {
	b.on(1, 1, newYear)
	b.since(2011, 1, 6, epiphany)
	b.after(easterSunday, "Easter Sunday")
	b.after(easterMonday, "Easter Monday")
	b.on(5, 1, labour)
	b.on(5, 3, "Constitution Day")
	b.after(pentecost, "Pentecost")
	b.after(corpusChristi, "Corpus Christi")
	b.on(8, 15, assumption)
	b.on(11, 1, allSaints)
	b.on(11, 11, "Independence Day")
	if b.year == 2018 {
		b.on(11, 12, "Independence Day, 100 years")
	}
	b.since(2025, 12, 24, "Christmas Eve")
	b.on(12, 25, christmas)
	b.on(12, 26, secondOfYule)
}

// brazil: Lei 662/1949, Lei 6.802/1980, Lei 9.093/1995 and Lei 14.759/2023.
func (b *yearOf) brazil() {
	b.on(1, 1, newYear)
	b.after(goodFriday, goodFridayName)
	b.on(4, 21, "Tiradentes")
	b.on(5, 1, labour)
	b.on(9, 7, "Independence Day")
	b.on(10, 12, "Our Lady of Aparecida")
	b.on(11, 2, "All Souls' Day")
	b.on(11, 15, "Proclamation of the Republic")
	b.since(2024, 11, 20, "Black Consciousness Day")
	b.on(12, 25, christmas)
}
