// Package identifier makes the numbers that finance knows things by, so that
// everybody's validator takes them and nobody's account, card, line or mailbox
// answers to them: IBAN, BIC, ABA routing numbers, LEI, card numbers, UETR,
// telephone numbers, e-mail and network addresses; and it holds the tables that
// they belong to, ISO 4217 currencies and ISO 18245 merchant categories.
//
// A value flows like this: the caller has a number, the id of an entity or 64
// random bits of a [generators.Rand], and an Append function adds the text that
// belongs to it to the caller's buffer. So a text is a pure function of its
// number, nothing is kept, and nothing is allocated when the buffer has room.
// Where the text has fewer values than 64 bits, the number wraps: an id below
// the capacity that is stated there has a text of its own.
//
// Safe means: right check digits and right structure, in a range that its
// registry has reserved for tests and fiction, or has given to nobody. Each
// function says which and why.
//
// The validators (Check...) were written apart from the generators, with other
// formulas, and hold for real numbers too. They know structure and check
// digits; they do not know who is registered.
package identifier

import (
	"errors"
	"slices"
)

// The reasons that validators give; ask with errors.Is.
var (
	ErrLength    = errors.New("wrong length")
	ErrCharacter = errors.New("a character that does not belong there")
	ErrChecksum  = errors.New("wrong check digits")
	ErrUnknown   = errors.New("not in the table")
)

// putDigits writes n in decimal over the whole of out, with leading zeros; the
// digits that have no room are lost.
func putDigits(out []byte, n uint64) {
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = byte('0' + n%10)
		n /= 10
	}
}

// appendDigits appends n in decimal with leading zeros, width digits.
func appendDigits(dst []byte, n uint64, width int) []byte {
	const zeros = "00000000000000000000"
	at := len(dst)
	dst = append(dst, zeros[:width]...)
	putDigits(dst[at:], n)
	return dst
}

// alphabet are the characters of ISO 7064 mod 97-10 in the order of their
// values, 0 to 35.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// appendBase36 appends the width lowest digits of n to the base of 36.
func appendBase36(dst []byte, n uint64, width int) []byte {
	at := len(dst)
	dst = append(dst, "0000000000000"[:width]...)
	for i := len(dst) - 1; i >= at; i-- {
		dst[i] = alphabet[n%36]
		n /= 36
	}
	return dst
}

// mod97 goes on with the remainder of a text by 97, a letter being two digits
// (ISO 7064). Divisions wait until the number grows large.
func mod97(rest uint64, text []byte) uint64 {
	for _, c := range text {
		if c <= '9' {
			rest = rest*10 + uint64(c-'0')
		} else {
			rest = rest*100 + uint64(c-'A'+10)
		}
		if rest >= 1<<56 {
			rest %= 97
		}
	}
	return rest % 97
}

// luhn returns the check digit of ISO/IEC 7812-1 annex B for the digits before
// it.
func luhn(digits []byte) byte {
	sum, double := 0, true
	for _, c := range slices.Backward(digits) {
		d := int(c - '0')
		if double {
			d *= 2
			d -= d / 10 * 9
		}
		sum += d
		double = !double
	}
	return byte('0' + (10-sum%10)%10)
}

// only reports whether all characters are in the class: n a digit, a a capital
// letter, c either.
func only[T string | []byte](text T, class byte) bool {
	for i := range len(text) {
		digit, letter := text[i]-'0' <= 9, text[i]-'A' <= 25
		if !(digit && class != 'a' || letter && class != 'n') {
			return false
		}
	}
	return true
}
