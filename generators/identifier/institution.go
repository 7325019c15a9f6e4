package identifier

import (
	"encoding/binary"
	"fmt"

	"github.com/lakeproof/lakeproof/generators"
)

// AppendBIC appends a test BIC of eight characters (ISO 9362) in a country, an
// ISO 3166-1 alpha-2 code: ZZ and two letters, the country, a letter and 0. By
// convention the zero in the eighth place marks a BIC that is not on the live
// network, and no BIC that is begins with ZZ. There are 17,576 in a country;
// number 17,550 is ZZZZ, the bank of the IBANs of [NewIBAN] where those have
// letters.
func AppendBIC(dst []byte, country string, number uint64) []byte {
	dst = append(dst, 'Z', 'Z', byte('A'+number/26%26), byte('A'+number%26))
	dst = append(dst, country...)
	return append(dst, byte('A'+number/676%26), '0')
}

// CheckBIC says what is wrong with a BIC of eight or eleven characters: four
// letters or digits, the country's two letters, two letters or digits and, in
// the long form, three more (ISO 9362:2022).
func CheckBIC[T string | []byte](text T) error {
	if len(text) != 8 && len(text) != 11 {
		return fmt.Errorf("checking BIC %q: %w", text, ErrLength)
	}
	if !only(text, 'c') || !only(text[4:6], 'a') {
		return fmt.Errorf("checking BIC %q: %w", text, ErrCharacter)
	}
	return nil
}

// IsTestBIC reports whether a valid BIC is one for tests: the eighth character
// is 0.
func IsTestBIC[T string | []byte](text T) bool { return CheckBIC(text) == nil && text[7] == '0' }

// AppendLEI appends a legal entity identifier (ISO 17442): the prefix ZZZZ,
// which no issuer has, the reserved 00, twelve characters of the number and
// the check digits. Numbers below 36^12 (4.7e18) have identifiers of their own.
func AppendLEI(dst []byte, number uint64) []byte {
	at := len(dst)
	dst = append(dst, "ZZZZ00"...)
	dst = appendBase36(dst, number, 12)
	dst = append(dst, "00"...)
	putDigits(dst[at+18:], 98-mod97(0, dst[at:]))
	return dst
}

// CheckLEI says what is wrong with a legal entity identifier.
func CheckLEI[T string | []byte](text T) error {
	if len(text) != 20 {
		return fmt.Errorf("checking LEI %q: %w", text, ErrLength)
	}
	if !only(text, 'c') || !only(text[18:], 'n') {
		return fmt.Errorf("checking LEI %q: %w", text, ErrCharacter)
	}
	if d := string(text[18:]); remainder97(string(text)) != 1 || d < "02" || d > "98" {
		return fmt.Errorf("checking LEI %q: %w", text, ErrChecksum)
	}
	return nil
}

// AppendABA appends a routing number of the American Bankers Association with
// the right check digit and the prefix 90 to 99: the prefixes that are given
// to banks are 00 to 12, 21 to 32, 61 to 72 and 80. There are 10,000,000.
func AppendABA(dst []byte, number uint64) []byte {
	at := len(dst)
	dst = append(dst, '9')
	dst = appendDigits(dst, number, 7)
	sum := 0
	for i, d := range dst[at:] {
		sum += int(d-'0') * [...]int{3, 7, 1}[i%3]
	}
	return append(dst, byte('0'+(10-sum%10)%10))
}

// CheckABA says what is wrong with a routing number's digits. It does not look
// at the prefix; [AssignedABA] does.
func CheckABA[T string | []byte](text T) error {
	if len(text) != 9 {
		return fmt.Errorf("checking ABA routing number %q: %w", text, ErrLength)
	}
	if !only(text, 'n') {
		return fmt.Errorf("checking ABA routing number %q: %w", text, ErrCharacter)
	}
	// The check digit by its congruence: 3, 7 and 1 weigh each third digit.
	if !congruent(string(text), "371371371", 10) {
		return fmt.Errorf("checking ABA routing number %q: %w", text, ErrChecksum)
	}
	return nil
}

// AssignedABA reports whether a bank may have the routing number: its prefix is
// in one of the ranges of the Federal Reserve districts, of the government or
// of traveller's cheques.
func AssignedABA[T string | []byte](text T) bool {
	if len(text) < 2 || !only(text[:2], 'n') {
		return false
	}
	p := int(text[0]-'0')*10 + int(text[1]-'0')
	return p <= 12 || p >= 21 && p <= 32 || p >= 61 && p <= 72 || p == 80
}

// AppendUETR appends a unique end-to-end transaction reference: a UUID of
// version 4 (RFC 9562) in lower case, of 122 of the 128 random bits.
func AppendUETR(dst []byte, high, low uint64) []byte {
	var id generators.ID128
	binary.BigEndian.PutUint64(id[:8], high&^0xf000|0x4000)
	binary.BigEndian.PutUint64(id[8:], low&^(3<<62)|2<<62)
	return id.Append(dst)
}

// CheckUETR says what is wrong with a transaction reference.
func CheckUETR[T string | []byte](text T) error {
	if len(text) != generators.IDTextLen {
		return fmt.Errorf("checking UETR %q: %w", text, ErrLength)
	}
	for i := range len(text) {
		c := text[i]
		ok := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		switch i {
		case 8, 13, 18, 23:
			ok = c == '-'
		case 14:
			ok = c == '4'
		case 19:
			ok = c == '8' || c == '9' || c == 'a' || c == 'b'
		}
		if !ok {
			return fmt.Errorf("checking UETR %q: %w", text, ErrCharacter)
		}
	}
	return nil
}
