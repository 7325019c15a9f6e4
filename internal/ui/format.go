package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Count writes a whole number with commas: "1,000,000".
func Count[N ~int | ~int64 | ~uint64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	if n > 0 {
		text = strconv.FormatUint(uint64(n), 10)
	}
	return group(text)
}

// group puts commas into the whole part of a decimal number.
func group(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, rest, _ := strings.Cut(text, ".")
	if rest != "" {
		rest = "." + rest
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

// Number writes a number with about four significant digits and commas:
// "1,234,567", "12.3", "0.0012". NaN and infinities are "no data".
func Number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "no data"
	}
	if math.Abs(v) >= 1000 || v == math.Trunc(v) {
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return trimmed(strconv.FormatFloat(v, 'f', decimals(v, 4), 64))
}

// decimals is how many digits after the point give v, once it is rounded, so
// many significant ones.
func decimals(v float64, significant int) int {
	_, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', significant-1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil { // NaN and the infinities have none
		return 0
	}
	return min(max(significant-1-power, 0), 9)
}

func trimmed(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Seconds writes a duration in seconds with three significant digits and the
// unit that suits it: "850 µs", "2.41 ms", "12.3 s", "6 min 05 s", "2 h 10 min".
func Seconds(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "no data"
	case a == 0:
		return "0 s"
	case a < 0.9995e-3:
		return significant(v*1e6, 3) + " µs"
	case a < 0.9995:
		return significant(v*1e3, 3) + " ms"
	case a < 119.5:
		return significant(v, 3) + " s"
	case a < 3599.5:
		whole := int(math.Round(v))
		return fmt.Sprintf("%d min %02d s", whole/60, abs(whole%60))
	default:
		whole := int(math.Round(v / 60))
		return fmt.Sprintf("%d h %02d min", whole/60, abs(whole%60))
	}
}

func abs(n int) int { return max(n, -n) }

func significant(v float64, digits int) string {
	return strconv.FormatFloat(v, 'f', decimals(v, digits), 64)
}

// Bytes writes a size in binary units: "512 B", "1.2 MiB".
func Bytes(n int64) string {
	v, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for math.Abs(v) >= 1024 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[unit]
}

// Rate writes records per second: "5,000/s", "0.5/s".
func Rate(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "no data"
	}
	if math.Abs(v) >= 100 {
		v = math.Round(v)
	}
	return Number(v) + "/s"
}

// Clock writes an elapsed time as minutes and seconds, "03:07", with hours
// where there are any, "1:03:07".
func Clock(d time.Duration) string {
	s := int64(max(d, 0).Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
