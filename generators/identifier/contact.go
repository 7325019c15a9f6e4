package identifier

import (
	"net/netip"
	"strconv"
	"strings"
)

// lines are the telephone numbers that regulators keep out of use for films,
// books and tests, in the form of E.164 with # for any digit: the ACMA's
// fictitious numbers, 555-01xx of the North American plan (ATIS 0300115), the
// Bundesnetzagentur's drama numbers (notice 148/2021), ARCEP's ranges for
// audiovisual works (decision 2018-0881), Ofcom's numbers for drama use,
// ComReg's 020 91 and the PTS's list.
const lines = `AU +6125550####
AU +6127010####
AU +6135550####
AU +6137010####
AU +6175550####
AU +6177010####
AU +6185550####
AU +6187010####
CA +140355501##
CA +141655501##
CA +151455501##
CA +160455501##
CA +161355501##
DE +492214710###
DE +493023125###
DE +494066969###
DE +496990009###
DE +498999998###
FR +3319900####
FR +3326191####
FR +3335301####
FR +3346571####
FR +3353649####
FR +3363998####
GB +441134960###
GB +441144960###
GB +441154960###
GB +441164960###
GB +441174960###
GB +441184960###
GB +441214960###
GB +441314960###
GB +441414960###
GB +441514960###
GB +441614960###
GB +441632960###
GB +441914980###
GB +442079460###
GB +442896496###
GB +442920180###
GB +447700900###
IE +3532091#####
SE +463139006##
SE +464062804##
SE +468465004##
SE +469803192##
US +120255501##
US +120655501##
US +121255501##
US +121355501##
US +130555501##
US +131255501##
US +140455501##
US +141555501##
US +151255501##
US +161755501##
US +171355501##
US +180855501##
`

// PhoneCountries are the countries with published numbers for fiction, in
// alphabetical order.
func PhoneCountries() []string {
	var names []string
	for line := range strings.Lines(lines) {
		if n := len(names); n == 0 || names[n-1] != line[:2] {
			names = append(names, line[:2])
		}
	}
	return names
}

// AppendPhone appends a telephone number of a country's ranges for fiction, in
// the form of E.164. There are 100 to 100,000 for each range, so many people
// share one. It appends nothing and returns false where the country has
// published none: see [PhoneCountries].
func AppendPhone(dst []byte, country string, number uint64) ([]byte, bool) {
	first, count := strings.Index(lines, country+" +"), uint64(0)
	if first < 0 || len(country) != 2 {
		return dst, false
	}
	rows := lines[first:]
	for rest := rows; strings.HasPrefix(rest, country); rest = rest[strings.IndexByte(rest, '\n')+1:] {
		count++
	}
	for range number % count {
		rows = rows[strings.IndexByte(rows, '\n')+1:]
	}
	number /= count
	at := len(dst)
	dst = append(dst, rows[3:strings.IndexByte(rows, '\n')]...)
	for i := len(dst) - 1; i >= at; i-- {
		if dst[i] == '#' {
			dst[i] = byte('0' + number%10)
			number /= 10
		}
	}
	return dst, true
}

// IsFictionalPhone reports whether a number in the form of E.164 is in one of
// the ranges.
func IsFictionalPhone[T string | []byte](text T) bool {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line[3:])
		prefix := strings.TrimRight(line, "#")
		if len(text) == len(line) && string(text[:len(prefix)]) == prefix && only(text[len(prefix):], 'n') {
			return true
		}
	}
	return false
}

// AppendEmail appends an address in a domain that is reserved for examples (RFC
// 2606 section 3): the letters and digits of the name in lower case, with dots
// between words, the number, and example.com, .org or .net. What ASCII does not
// have is left out. Different numbers give different addresses.
func AppendEmail(dst []byte, name string, number uint64) []byte {
	at := len(dst)
	for i := range len(name) {
		c := name[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			dst = append(dst, c|0x20)
		} else if c >= '0' && c <= '9' {
			dst = append(dst, c)
		} else if strings.IndexByte(" .-", c) >= 0 {
			dst = appendDot(dst, at)
		}
	}
	if len(dst) == at {
		dst = append(dst, "nobody"...)
	}
	dst = appendDot(dst, at)
	dst = strconv.AppendUint(dst, number, 10)
	switch number % 3 {
	case 0:
		return append(dst, "@example.com"...)
	case 1:
		return append(dst, "@example.org"...)
	default:
		return append(dst, "@example.net"...)
	}
}

// appendDot ends a word, if there is one since at.
func appendDot(dst []byte, at int) []byte {
	if len(dst) == at || dst[len(dst)-1] == '.' {
		return dst
	}
	return append(dst, '.')
}

// IsExampleEmail reports whether the address is in a domain that is reserved
// for examples or tests (RFC 2606).
func IsExampleEmail[T string | []byte](text T) bool {
	_, domain, ok := strings.Cut(string(text), "@")
	domain = strings.ToLower(domain)
	for _, d := range [...]string{"example.com", "example.org", "example.net", "example", "test", "invalid", "localhost"} {
		if ok && (domain == d || strings.HasSuffix(domain, "."+d)) {
			return true
		}
	}
	return false
}

// AppendIPv4 appends one of the 762 host addresses of the networks for
// documentation: 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737).
func AppendIPv4(dst []byte, number uint64) []byte {
	switch number / 254 % 3 {
	case 0:
		dst = append(dst, "192.0.2."...)
	case 1:
		dst = append(dst, "198.51.100."...)
	default:
		dst = append(dst, "203.0.113."...)
	}
	return strconv.AppendUint(dst, number%254+1, 10)
}

// AppendIPv6 appends an address of the network for documentation,
// 2001:db8::/32 (RFC 3849), in the form of RFC 5952. Different numbers have
// different addresses.
func AppendIPv6(dst []byte, number uint64) []byte {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := range 8 {
		a[15-i] = byte(number >> (8 * i))
	}
	return netip.AddrFrom16(a).AppendTo(dst)
}

// IsDocumentationIP reports whether the address is in a network for
// documentation: of RFC 5737, RFC 3849 or RFC 9637.
func IsDocumentationIP[T string | []byte](text T) bool {
	a, err := netip.ParseAddr(string(text))
	if err != nil {
		return false
	}
	for _, network := range [...]string{
		"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20",
	} {
		if netip.MustParsePrefix(network).Contains(a) {
			return true
		}
	}
	return false
}
