package iso20022

import (
	"strings"
	"unicode/utf8"
)

// The replacements, each string a run of the alphabet: one letter each for
// ASCII from the space and for Latin from U+00C0, cells of three for Greek from
// U+0386 and Cyrillic from U+0410. They follow EPC217-08, the SEPA table of best
// practices, where an accent falls away and a letter stays one letter.
const (
	ascii = " .....+'().+,-./0123456789:,...?.ABCDEFGHIJKLMNOPQRSTUVWXYZ(/).-'abcdefghijklmnopqrstuvwxyz(/)-"
	latin = "AAAAAAACEEEEIIIIDNOOOOO.OUUUUYTsaaaaaaaceeeeiiiidnooooo.ouuuuyty" +
		"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTt" +
		"UuUuUuUuUuUuWwYyYZzZzZzs"
	greek = "A  .  E  I  I  .  O  .  Y  O  i  A  V  G  D  E  Z  I  TH I  K  L  M  N  X  O  P  R  .  S  T  Y  " +
		"F  CH PS O  I  Y  a  e  i  i  y  a  v  g  d  e  z  i  th i  k  l  m  n  x  o  p  r  s  s  t  y  " +
		"f  ch ps o  i  y  o  y  o  "
	cyrillic = "A  B  V  G  D  E  ZH Z  I  Y  K  L  M  N  O  P  R  S  T  U  F  H  TS CH SH SHTA  Y  Y  E  YU YA " +
		"a  b  v  g  d  e  zh z  i  y  k  l  m  n  o  p  r  s  t  u  f  h  ts ch sh shta  y  y  e  yu ya "
)

// AppendText appends a text in the characters that all banks take, the X set of
// SWIFT that SEPA uses too: letters, digits, space and / - ? : ( ) . , ' +
// Others are replaced by what is nearest, or by a full stop; so nothing needs
// escaping in XML. The result has at most max characters and no spaces at its
// ends.
func AppendText(dst []byte, text string, max int) []byte {
	at := len(dst)
	for i := 0; i < len(text) && len(dst)-at < max; {
		c := text[i]
		if c >= ' ' && c <= '~' {
			i++
			if c = ascii[c-' ']; c != ' ' || len(dst) > at {
				dst = append(dst, c)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		dst = append(dst, replacement(r)...)
		if len(dst) == at+1 && dst[at] == ' ' {
			dst = dst[:at]
		}
	}
	if len(dst) > at+max {
		dst = dst[:at+max]
	}
	for len(dst) > at && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// replacement is what stands for a character that is not printable ASCII.
func replacement(r rune) string {
	switch {
	case r >= 0xc0 && r < 0x180:
		return latin[r-0xc0 : r-0xc0+1]
	case r >= 0x386 && r <= 0x3ce:
		return cell(greek, r-0x386)
	case r >= 0x410 && r <= 0x44f:
		return cell(cyrillic, r-0x410)
	case r >= 0x218 && r <= 0x21b: // Romanian
		return "SsTt"[r-0x218 : r-0x218+1]
	case r >= 0x300 && r < 0x370: // accents that follow their letter
		return ""
	}
	return sign(r)
}

// sign is what stands for a character that is no letter.
func sign(r rune) string {
	switch r {
	case 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015:
		return "-"
	case 0x2018, 0x2019:
		return "'"
	case 0x20ac:
		return "E" // the euro
	case 0x7f, 0xa0:
		return " "
	}
	if r < ' ' || r >= 0x2000 && r <= 0x200a {
		return " "
	}
	return "."
}

// cell is the n-th of cells of three, without the spaces that fill it.
func cell(cells string, n rune) string { return strings.TrimRight(cells[3*n:3*n+3], " ") }

// inSet reports whether a character is in the set as it is.
func inSet(c byte) bool { return c >= ' ' && c <= '~' && ascii[c-' '] == c }

// CheckText says whether a text is in the set already.
func CheckText[T string | []byte](text T) bool {
	for i := range len(text) {
		if !inSet(text[i]) {
			return false
		}
	}
	return true
}
