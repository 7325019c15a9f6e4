package identifier

import (
	"fmt"
	"strings"
)

// structures are the BBAN structures of the IBAN registry (ISO 13616-2): n
// digits, a capital letters, c either, each class with its length.
const structures = "AT n16 BE n12 BR n23a1c1 CH n5c12 DE n18 DK n14 ES n20 FI n14 FR n10c11n2 GB a4n14 " +
	"IE a4n14 IT a1n10c12 KW a4c22 NL a4n10 NO n11 PL n24 PT n21 SE n20 "

// CheckIBAN says what is wrong with an IBAN in electronic form: the structure
// of the country, the check digits, or the national check digits where all of
// the country's banks have them (BE, ES, FI, FR, IT, NO, PL, PT). The error is
// one of [ErrLength], [ErrCharacter], [ErrChecksum] and, for a country that
// [IBANCountries] does not name, [ErrUnknown].
func CheckIBAN[T string | []byte](text T) error {
	if len(text) < 4 {
		return fmt.Errorf("checking IBAN %q: %w", text, ErrLength)
	}
	country, bban := string(text[:2]), string(text[4:])
	at := strings.Index(structures, country+" ")
	if at < 0 || at > 0 && structures[at-1] != ' ' {
		return fmt.Errorf("checking IBAN %q: country %q: %w", text, country, ErrUnknown)
	}
	structure, _, _ := strings.Cut(structures[at+3:], " ")
	if err := checkStructure(bban, structure); err != nil {
		return fmt.Errorf("checking IBAN %q: want %s: %w", text, structure, err)
	}
	if !only(text[2:4], 'n') {
		return fmt.Errorf("checking IBAN %q: %w", text, ErrCharacter)
	}
	// Valid check digits are 02 to 98: 00, 01 and 99 are the same remainders.
	if d := text[2:4]; remainder97(bban+country+string(d)) != 1 || string(d) < "02" || string(d) > "98" {
		return fmt.Errorf("checking IBAN %q: %w", text, ErrChecksum)
	}
	if !nationalHolds(country, bban) {
		return fmt.Errorf("checking IBAN %q: national check digits: %w", text, ErrChecksum)
	}
	return nil
}

func checkStructure(bban, structure string) error {
	at := 0
	for i := 0; i < len(structure); {
		class, length := structure[i], 0
		for i++; i < len(structure) && structure[i] <= '9'; i++ {
			length = length*10 + int(structure[i]-'0')
		}
		if at+length > len(bban) {
			return ErrLength
		}
		if !only(bban[at:at+length], class) {
			return ErrCharacter
		}
		at += length
	}
	if at != len(bban) {
		return ErrLength
	}
	return nil
}

// remainder97 is the remainder of a text by 97, summed from its end with the
// powers of ten by 97.
func remainder97(text string) int {
	sum, power := 0, 1
	for i := len(text) - 1; i >= 0; i-- {
		value := strings.IndexByte(alphabet, text[i])
		sum += value * power
		power = power * 10 % 97
		if value >= 10 {
			power = power * 10 % 97
		}
	}
	return sum % 97
}

// nationalHolds reports whether the national check digits are right, by their
// congruences: the check digit's own weight is in the sum.
func nationalHolds(country, bban string) bool {
	switch country {
	case "BE":
		rest := remainder97(bban[:10])
		return remainder97(bban[10:]) == rest && bban[10:] != "00" && bban[10:] <= "97"
	case "ES":
		return powersOfTwo("00"+bban[:8], bban[8]) && powersOfTwo(bban[10:], bban[9])
	case "FI":
		return CheckLuhn(bban) == nil
	case "FR":
		return frenchKey(bban)
	case "IT":
		return bban[0] == italianLetter(bban[1:])
	case "NO":
		if bban[4:6] == "00" {
			return congruent(bban[6:], "54321", 11)
		}
		return congruent(bban, "54327654321", 11)
	case "PL":
		return congruent(bban[:8], "39713971", 10)
	case "PT":
		return remainder97(bban) == 1
	}
	return true
}

// frenchKey checks the clé RIB. Each letter stands for a digit: A and J 1, B, K
// and S 2, up to I, R and Z 9. Bank, branch, account and key have the weights
// 10^18, 10^13, 10^2 and 1, which are 89, 15, 3 and 1 by 97.
func frenchKey(bban string) bool {
	const letters, values = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789"
	account := strings.Map(func(r rune) rune {
		if i := strings.IndexRune(letters, r); i >= 0 {
			return rune(values[i])
		}
		return r
	}, bban[10:21])
	sum := 89*remainder97(bban[:5]) + 15*remainder97(bban[5:10]) + 3*remainder97(account) + remainder97(bban[21:])
	return sum%97 == 0 && bban[21:] != "00" && bban[21:] <= "97"
}

// congruent reports whether the weighted sum of the digits is divisible.
func congruent(digits, weights string, by int) bool {
	sum := 0
	for i := range len(digits) {
		sum += int(digits[i]-'0') * int(weights[i]-'0')
	}
	return sum%by == 0
}

// powersOfTwo checks a digit of Spain's, the weights of the digits being 1, 2,
// 4 and so on by 11.
func powersOfTwo(digits string, check byte) bool {
	sum := 0
	for i := len(digits) - 1; i >= 0; i-- {
		sum = (sum*2 + int(digits[i]-'0')) % 11 // Horner
	}
	return check == "01987654321"[sum]
}

// italianLetter is the CIN of bank, branch and account. The string has the
// characters in the order of their values at odd places.
func italianLetter(text string) byte {
	const odd = "BAKPLCQDREVOSFTGUHMINJWZYX"
	sum := 0
	for i := range len(text) {
		value := int(text[i] - 'A')
		if text[i] <= '9' {
			value = int(text[i] - '0')
		}
		if i%2 == 0 {
			value = strings.IndexByte(odd, byte('A'+value))
		}
		sum += value
	}
	return byte('A' + sum%26)
}
