package identifier

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// PANMode says what stands where a card number belongs.
type PANMode uint8

// The modes. None of them is a number that an issuer could have given out.
const (
	// PANToken is tok_ and eleven letters and digits: no card number at all.
	PANToken PANMode = iota
	// PANTest is one of the numbers that the networks and their processors
	// publish for tests ([TestPANs]).
	PANTest
	// PANSynthetic is sixteen digits that begin with 0 and end in the right
	// check digit: ISO/IEC 7812 keeps 0 for the industry's own assignments, no
	// card is issued in it. (9 would not do: it is for national schemes, and
	// some are live.)
	PANSynthetic
)

// PANModes are the names of the modes in a scenario, in the order of the values.
func PANModes() []string { return []string{"token", "test", "synthetic"} }

// ParsePANMode reads a mode; the empty text is token.
func ParsePANMode(text string) (PANMode, error) {
	if text == "" {
		return PANToken, nil
	}
	for i, name := range PANModes() {
		if text == name {
			return PANMode(i), nil
		}
	}
	known := strings.Join(PANModes(), ", ")
	return 0, fail.New(fail.Usage, "use one of "+known, "choosing card numbers %q: not one of %s", text, known)
}

// String returns the mode's name.
func (m PANMode) String() string { return PANModes()[m] }

// testPANs are published test numbers, ended by a space each: of Visa,
// Mastercard (both of its ranges), American Express, Discover, Diners Club, JCB
// and UnionPay. PayPal's, Stripe's and Braintree's manuals list them.
const testPANs = "4111111111111111 4012888888881881 4222222222222 4242424242424242 4000056655665556 " +
	"5555555555554444 5105105105105100 5200828282828210 2223003122003222 " +
	"378282246310005 371449635398431 378734493671000 " +
	"6011111111111117 6011000990139424 30569309025904 38520000023237 3056930009020004 " +
	"3530111333300000 3566002020360505 6200000000000005 "

// TestPANs returns the published numbers of mode test.
func TestPANs() []string { return strings.Fields(testPANs) }

// AppendPAN appends what stands for a card in the mode. Numbers below 36^11
// (1.3e17) have tokens, and numbers below 10^14 synthetic numbers, of their own;
// the published test numbers are few and come again at once.
func AppendPAN(dst []byte, mode PANMode, number uint64) []byte {
	switch mode {
	case PANTest:
		const count = 20
		rest := testPANs
		for range number % count {
			rest = rest[strings.IndexByte(rest, ' ')+1:]
		}
		return append(dst, rest[:strings.IndexByte(rest, ' ')]...)
	case PANSynthetic:
		at := len(dst)
		dst = append(dst, '0')
		dst = appendDigits(dst, number, 14)
		return append(dst, luhn(dst[at:]))
	default:
		dst = append(dst, "tok_"...)
		at := len(dst)
		dst = appendBase36(dst, number, 11)
		for i := at; i < len(dst); i++ {
			if dst[i] >= 'A' {
				dst[i] |= 0x20
			}
		}
		return dst
	}
}

// CheckLuhn says what is wrong with a number that ends in the check digit of
// ISO/IEC 7812-1. The error does not repeat the number.
func CheckLuhn[T string | []byte](text T) error {
	if len(text) < 2 {
		return fmt.Errorf("checking a number of %d digits: %w", len(text), ErrLength)
	}
	if !only(text, 'n') {
		return fmt.Errorf("checking a number of %d digits: %w", len(text), ErrCharacter)
	}
	const doubled = "0246813579" // the digit sum of twice the digit
	sum := 0
	for i := range len(text) {
		digit := text[i]
		if (len(text)-i)%2 == 0 {
			digit = doubled[digit-'0']
		}
		sum += int(digit - '0')
	}
	if sum%10 != 0 {
		return fmt.Errorf("checking a number of %d digits: %w", len(text), ErrChecksum)
	}
	return nil
}

// ErrIssued says that a number may be somebody's card.
var ErrIssued = errors.New("in a range that cards are issued in")

// RefuseIssued is the guard before an output: an error for every text that may
// be somebody's card number, whether its check digit is right or not. It lets
// pass what is no card number (anything but 12 to 19 digits, with or without
// spaces and dashes between them), the published test numbers, and numbers that
// begin with 0. The error tells the range, never the number.
func RefuseIssued[T string | []byte](text T) error {
	var digits [19]byte
	count := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c == ' ' || c == '-':
		case c-'0' > 9 || count == len(digits):
			return nil
		default:
			digits[count] = c
			count++
		}
	}
	if count < 12 || digits[0] == '0' || isTestPAN(digits[:count]) {
		return nil
	}
	return fail.Wrap(fmt.Errorf("writing a card number of %d digits, %s: %w", count, industry(digits[0]), ErrIssued),
		fail.Usage, "use card numbers in mode token, test or synthetic")
}

func isTestPAN(digits []byte) bool {
	for rest := testPANs; rest != ""; {
		var known string
		known, rest, _ = strings.Cut(rest, " ")
		if known == string(digits) {
			return true
		}
	}
	return false
}

// industry names the first digit of a card number (ISO/IEC 7812-1, 4.2).
func industry(first byte) string {
	switch first {
	case '1', '2':
		return "airlines and others (Mastercard, Mir)"
	case '3':
		return "travel and entertainment (American Express, Diners Club, JCB)"
	case '4', '5':
		return "banking (Visa, Mastercard)"
	case '6':
		return "merchandising and banking (Discover, UnionPay, Maestro)"
	case '7':
		return "petroleum"
	case '8':
		return "healthcare and telecommunications"
	default:
		return "national schemes"
	}
}
