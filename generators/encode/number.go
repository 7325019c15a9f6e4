package encode

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"sync/atomic"
	"time"
)

// intLen is the most bytes that an integer takes: a sign and 19 digits.
const intLen = 20

// putInt writes a decimal number and returns its length.
func putInt(out *[intLen]byte, n int64) int {
	if uint64(n) < 10 {
		out[0] = '0' + byte(n)
		return 1
	}
	if uint64(n) >= 1e16 { // also every negative number
		return len(strconv.AppendInt(out[:0], n, 10))
	}
	high, low := uint64(n)/1e8, uint64(n)%1e8
	if high == 0 {
		return putShort((*[8]byte)(out[:]), low)
	}
	size := putShort((*[8]byte)(out[:]), high)
	binary.LittleEndian.PutUint64(out[size:size+8], digits8(low)|zeros)
	return size + 8
}

// putShort writes a number below 10^8 into eight bytes, without leading zeros,
// and returns its length. The last digit stays, and skip counts the zeros before.
func putShort(out *[8]byte, n uint64) int {
	d := digits8(n)
	skip := leading(d)
	binary.LittleEndian.PutUint64(out[:], (d|zeros)>>(8*skip&63))
	return 8 - skip
}

// leading counts the zeros that eight digits start with; the last of them stays.
func leading(d uint64) int { return bits.TrailingZeros64(d|1<<56) / 8 }

// zeros is eight times the character '0'.
const zeros = 0x3030303030303030

// digits8 returns the eight digits of a number below 10^8, the first in the
// lowest byte. It halves the number three times, all parts at once; the
// divisions are multiplications.
func digits8(n uint64) uint64 {
	first := uint32(n) / 10_000 // of 32 bits: a cheaper multiplication
	n = uint64(first) | uint64(uint32(n)-first*10_000)<<32
	q := n * 5243 >> 19 & 0x0000007f_0000007f // each half / 100
	return pairs(q | (n-q*100)<<16)
}

// pairs returns the digits of four numbers below 100, which have 16 bits each,
// the first of each in the lower byte.
func pairs(n uint64) uint64 {
	q := n * 103 >> 10 & 0x000f000f_000f000f // each / 10
	return q | (n-q*10)<<8
}

// timeLen is the length of a timestamp as text.
const timeLen = len("2006-01-02T15:04:05.000Z")

// putTime writes microseconds since the Unix epoch as RFC 3339 in UTC with
// three decimals. Years outside 0000-9999, which RFC 3339 cannot express, are
// clamped to the nearest it can.
func putTime(out *[timeLen]byte, micros int64) {
	day, ms := dayOf(micros)
	putClock(out, dateDigits(day), ms)
}

// dayOf divides a time into days since 0000-01-01 and milliseconds of the day.
func dayOf(micros int64) (day uint64, ms uint32) {
	const first, last = -62_167_219_200_000_000, 253_402_300_799_999_999 // 0000-01-01 and the end of 9999
	all := uint64(min(max(micros, first), last)-first) / 1000
	day = all / 86_400_000
	return day, uint32(all - day*86_400_000)
}

// putClock writes the digits of a date, with what stands between them, and the
// milliseconds of its day. The divisions of 32 bits are one multiplication each.
func putClock(out *[timeLen]byte, d uint64, ms uint32) {
	minute := ms / 60_000
	rest := ms - minute*60_000
	hour, second := minute/60, rest/1000
	milli := rest - second*1000
	tenths := milli * 205 >> 11 // milli / 10, below 1000
	t := pairs(uint64(hour|(minute-hour*60)<<16)|uint64(second|tenths<<16)<<32) | zeros
	const two = 0xffff
	binary.LittleEndian.PutUint64(out[0:8], d&0xffffffff|'-'<<32|d>>32&two<<40|'-'<<56)
	binary.LittleEndian.PutUint64(out[8:16], d>>48|'T'<<16|t&two<<24|':'<<40|t>>16&two<<48)
	binary.LittleEndian.PutUint64(out[16:24], ':'|t>>32&two<<8|'.'<<24|t>>48<<32|uint64('0'+milli-tenths*10)<<48|'Z'<<56)
}

// dateDigits returns the digits of year, month and day, the first in the lowest
// byte.
func dateDigits(day uint64) uint64 {
	century, year, month, date := civil(uint32(day))
	return pairs(uint64(century)|uint64(year)<<16|uint64(month)<<32|uint64(date)<<48) | zeros
}

// dates remembers the digits of the days that were asked for lately, as times are
// mostly near each other. An entry is the day and one in the upper half, and four
// bits for each digit in the lower: one word, which goroutines may share.
type dates [64]atomic.Uint64

// putTime writes what putTime writes.
func (d *dates) putTime(out *[timeLen]byte, micros int64) {
	day, ms := dayOf(micros)
	entry := d[day%uint64(len(d))].Load()
	if entry>>32 != day+1 {
		entry = d.learn(day)
	}
	x := entry & 0xffffffff
	x = (x | x<<16) & 0x0000ffff_0000ffff
	x = (x | x<<8) & 0x00ff00ff_00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f_0f0f0f0f
	putClock(out, x|zeros, ms)
}

func (d *dates) learn(day uint64) uint64 {
	x := dateDigits(day) ^ zeros
	x = (x | x>>4) & 0x00ff00ff_00ff00ff
	x = (x | x>>8) & 0x0000ffff_0000ffff
	entry := (day+1)<<32 | (x|x>>16)&0xffffffff
	d[day%uint64(len(d))].Store(entry)
	return entry
}

// appendTime appends what putTime writes.
func appendTime(dst []byte, micros int64) []byte {
	n := len(dst)
	dst = room(dst, n, timeLen)
	putTime((*[timeLen]byte)(dst[n:]), micros)
	return dst[:n+timeLen]
}

// civil turns days since 0000-01-01 of the Gregorian calendar into a date.
// Years are counted from March, so that the leap day is the last of its year;
// the divisions of a number of four-year cycles and of a day of the year are
// multiplications (Neri and Schneider 2023).
func civil(days uint32) (century, year, month, day uint32) {
	n := 4*(days+146_097-60) + 3 // since 1 March of the year -400
	century = n/146_097 - 4
	p := uint64(n%146_097|3) * 2_939_745
	year = uint32(p >> 32)
	ofYear := uint32(p) / 2_939_745 / 4
	m := 2141*ofYear + 197_913
	month, day = m>>16, m&0xffff/2141+1
	if ofYear >= 306 { // January and February
		month -= 12
		if year++; year == 100 {
			century, year = century+1, 0
		}
	}
	return century, year, month, day
}

// parseTime reads RFC 3339 with any number of decimals and any offset; digits
// beyond the microsecond are cut off. What putTime writes is read without
// package time.
func parseTime(text string) (micros int64, err error) {
	if micros, ok := parseUTC(text); ok {
		return micros, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("want a time like 2006-01-02T15:04:05.000Z, not %.50q", text)
	}
	return t.UnixMicro(), nil
}

// parseUTC reads the form that putTime writes.
//
//nolint:cyclop // one comparison for each place of a fixed form
func parseUTC(s string) (micros int64, ok bool) {
	if len(s) != timeLen || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
		s[19] != '.' || s[23] != 'Z' {
		return 0, false
	}
	n, bad := [7]int64{}, byte(0)
	for i, part := range [7]string{s[0:4], s[5:7], s[8:10], s[11:13], s[14:16], s[17:19], s[20:23]} {
		for j := range len(part) {
			d := part[j] - '0'
			if d > 9 {
				bad = 1
			}
			n[i] = n[i]*10 + int64(d)
		}
	}
	year, month, day := n[0], n[1], n[2]
	if bad != 0 || month < 1 || month > 12 || day < 1 || day > 28 && day > monthLength(year, month) ||
		n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return 0, false
	}
	seconds := epochDays(year, month, day)*86_400 + n[3]*3600 + n[4]*60 + n[5]
	return seconds*1_000_000 + n[6]*1000, true
}

// epochDays is the inverse of civil, counted from 1970-01-01.
func epochDays(year, month, day int64) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	year += 400 // positive, and the same calendar
	return year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719_468 - 146_097
}

func monthLength(year, month int64) int64 {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}
