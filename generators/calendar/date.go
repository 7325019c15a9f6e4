package calendar

import "fmt"

// Date is a day of the Gregorian calendar: the days since 1 January 1970.
type Date int32

// NewDate returns the date of a year, month and day. A day outside the month
// counts on from it: day 0 is the last of the month before.
func NewDate(year, month, day int) Date {
	// Years begin in March, so that the day that leap years add is the last.
	if month < 3 {
		year, month = year-1, month+12
	}
	cycle := year / 400
	if year < 0 && year%400 != 0 {
		cycle--
	}
	y := year - 400*cycle
	days := 365*y + y/4 - y/100 + (153*(month-3)+2)/5 + day - 1
	return Date(146_097*cycle + days - 719_468)
}

// Civil returns year, month and day.
func (d Date) Civil() (year, month, day int) {
	n := int(d) + 719_468 // days since 1 March of the year 0
	cycle := n / 146_097
	if n < 0 && n%146_097 != 0 {
		cycle--
	}
	n -= 146_097 * cycle
	y := (n - n/1_460 + n/36_524 - n/146_096) / 365
	n -= 365*y + y/4 - y/100
	m := (5*n + 2) / 153
	day = n - (153*m+2)/5 + 1
	year, month = y+400*cycle, m+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

// Weekday is 0 for a Monday and 6 for a Sunday.
func (d Date) Weekday() int {
	return int(modulo(int64(d)+3, 7)) // the epoch was a Thursday
}

// String returns the date as YYYY-MM-DD.
func (d Date) String() string {
	y, m, dd := d.Civil()
	return fmt.Sprintf("%04d-%02d-%02d", y, m, dd)
}

// DateOf is the date of a time in seconds since the epoch on some clock.
func DateOf(seconds int64) Date { return Date((seconds - modulo(seconds, day)) / day) }

// modulo is the remainder that is never negative.
func modulo(x, n int64) int64 {
	if x %= n; x < 0 {
		x += n
	}
	return x
}

// nth is the date of the n-th given weekday of a month; n = -1 is the last.
func nth(year, month, weekday, n int) Date {
	if n < 0 {
		last := NewDate(year, month, monthDays(year, month))
		return last - Date((last.Weekday()-weekday+7)%7)
	}
	first := NewDate(year, month, 1)
	return first + Date((weekday-first.Weekday()+7)%7+7*(n-1))
}

// monthDays is the length of a month.
func monthDays(year, month int) int {
	switch month {
	case 2:
		return int(NewDate(year, 3, 1) - NewDate(year, 2, 1))
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
