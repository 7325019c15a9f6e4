package encode

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// intLen is the most bytes that an integer takes: a sign and 19 digits.
const intLen = 20

// putInt writes a decimal number and returns its length.
func putInt(out *[intLen]byte, n int64) int {
	if uint64(n) >= 1e16 { // also every negative number
		return len(strconv.AppendInt(out[:0], n, 10))
	}
	high, low := uint64(n)/1e8, uint64(n)%1e8
	if high == 0 {
		return putShort(out[:8], low)
	}
	size := putShort(out[:8], high)
	binary.LittleEndian.PutUint64(out[size:size+8], digits8(low)|zeros)
	return size + 8
}

// putShort writes a number below 10^8 into eight bytes, without leading zeros,
// and returns its length.
func putShort(out []byte, n uint64) int {
	d := digits8(n)
	skip := bits.TrailingZeros64(d|1<<56) / 8 // the last digit stays
	binary.LittleEndian.PutUint64(out, (d|zeros)>>(8*skip))
	return 8 - skip
}

// zeros is eight times the character '0'.
const zeros = 0x3030303030303030

// digits8 returns the eight digits of a number below 10^8, the first in the
// lowest byte. It halves the number three times, all parts at once; the
// divisions by 100 and by 10 are multiplications.
func digits8(n uint64) uint64 {
	n = n/10_000 | n%10_000<<32
	q := n * 5243 >> 19 & 0x0000007f_0000007f // each half / 100
	n = q | (n-q*100)<<16
	q = n * 103 >> 10 & 0x000f000f_000f000f // each quarter / 10
	return q | (n-q*10)<<8
}

// timeLen is the length of a timestamp as text.
const timeLen = len("2006-01-02T15:04:05.000Z")

// putTime writes microseconds since the Unix epoch as RFC 3339 in UTC with
// three decimals. Years outside 0000-9999, which RFC 3339 cannot express, are
// clamped to the nearest it can.
func putTime(out *[timeLen]byte, micros int64) {
	const first, last = -62_167_219_200_000, 253_402_300_799_999 // 0000-01-01 and 9999-12-31, ms
	ms := uint64(min(max(floorDiv(micros, 1000), first), last) - first)
	year, month, day := civil(uint32(ms / 86_400_000))
	thousandths := uint32(ms % 86_400_000)
	s := thousandths / 1000
	thousandths -= s * 1000

	copy(out[:], "0000-00-00T00:00:00.000Z")
	put2(out[0:2], year/100)
	put2(out[2:4], year%100)
	put2(out[5:7], month)
	put2(out[8:10], day)
	put2(out[11:13], s/3600)
	put2(out[14:16], s/60%60)
	put2(out[17:19], s%60)
	put2(out[20:22], thousandths/10)
	out[22] = byte('0' + thousandths%10)
}

// put2 writes the two digits of a number below 100.
func put2(out []byte, n uint32) {
	tens := n * 103 >> 10
	binary.LittleEndian.PutUint16(out, uint16(0x3030+tens|(n-tens*10)<<8))
}

// civil turns days since 0000-01-01 of the Gregorian calendar into a date.
// Years are counted from March, so that the leap day is the last of its year
// (the method of Howard Hinnant's chrono algorithms).
func civil(days uint32) (year, month, day uint32) {
	days += 146_097 - 60 // since 1 March of the year -400
	century := (4*days + 3) / 146_097
	rest := days - century*146_097/4
	y := (4*rest + 3) / 1461
	rest -= y * 1461 / 4
	m := (5*rest + 2) / 153 // 0 is March
	day = rest - (153*m+2)/5 + 1
	year = century*100 + y - 400
	if m < 10 {
		return year, m + 3, day
	}
	return year + 1, m - 9, day
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
