package identifier

import (
	"math/bits"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// layout is how a country's account numbers are made. In the template # is a
// digit of the account, k a national check digit, j a digit that makes k
// possible where the method has no digit for one remainder in eleven, and the
// rest stands as it is.
type layout struct {
	country, template, bank, why string
}

// layouts are the countries. The bank codes were compared with the lists of 2026
// that the reasons name, as far as they are public: those of France and Spain
// are collected by others and may have gaps.
func layouts() []layout {
	const letters = "no BIC begins with ZZ, and the country takes its bank codes from the BIC"
	return []layout{
		{"AT", "80000###########", "80000", "OeNB's list has no Bankleitzahl that begins with 8"},
		{"BE", "999#######kk", "999", "the National Bank keeps 990 to 999 for circular cheques and money orders"},
		{"BR", "9999999900001##########C1", "99999999", "no participant of the reserve transfer system has this ISPB"},
		{"CH", "99999############", "99999", "SIX gives no IID that begins with 9"},
		{"DE", "90000000##########", "90000000", "the first digit is the clearing area, and the areas are 1 to 8"},
		{"DK", "9999########jk", "9999", "no registration number above 9960 is in use"},
		{"ES", "79990001kk##########", "7999", "the Banco de España's register has no entity that begins with 7"},
		{"FI", "999##########k", "999", "the bank groups begin with 1 to 8"},
		{"FR", "9999900001###########kk", "99999", "no list that was compared has a bank code above 75000"},
		{"GB", "ZZZZ000000########", "ZZZZ", letters},
		{"IE", "ZZZZ000000########", "ZZZZ", letters + "; Irish sort codes begin with 9"},
		{"IT", "k9999900001############", "99999", "no ABI code is above 37000"},
		{"KW", "ZZZZ0000000000############", "ZZZZ", letters},
		{"NL", "ZZZZ########jk", "ZZZZ", letters},
		{"NO", "999######jk", "99", "no registration number above 9903 is in use; these are above 9980"},
		{"PL", "09900006################", "09900006", "no settlement number of the NBP begins with 0"},
		{"PT", "99990001###########kk", "9999", "no institution of the Banco de Portugal's list is above 3600"},
		{"SE", "9990000000#########k", "999", "no bank has this number in the list of bank ids for IBAN"},
	}
}

// IBAN makes account numbers of one country (ISO 13616): right check digits,
// the national structure, the national check digits where there are any, and a
// bank code that no bank has. [IBAN.Why] says how that is known.
type IBAN struct {
	layout
	free           int    // places of the account
	capacity       uint64 // 10^free
	factor, offset uint64 // number*factor+offset mod capacity spreads the accounts over the range
}

// IBANCountries are the countries that [NewIBAN] knows, in alphabetical order.
func IBANCountries() []string {
	var names []string
	for _, l := range layouts() {
		names = append(names, l.country)
	}
	return names
}

// NewIBAN returns the accounts of a country, an ISO 3166-1 alpha-2 code. The
// same number has another account under another seed.
func NewIBAN(country string, seed generators.Seed) (*IBAN, error) {
	for _, l := range layouts() {
		if l.country != country {
			continue
		}
		g := &IBAN{layout: l, free: strings.Count(l.template, "#"), capacity: 1}
		for range g.free {
			g.capacity *= 10
		}
		random := seed.Rand("identifier.iban").Entity(uint64(country[0])<<8 | uint64(country[1]))
		// Ends in 1, 3, 7 or 9, so it shares no factor with a power of ten and
		// no two numbers meet.
		g.factor = generators.Below(random.At(0), g.capacity/10)*10 + [...]uint64{1, 3, 7, 9}[random.At(1)%4]
		g.offset = generators.Below(random.At(2), g.capacity)
		return g, nil
	}
	return nil, fail.New(fail.Usage, "use one of "+strings.Join(IBANCountries(), ", "),
		"making IBANs of country %q: its structure is not in the table", country)
}

// Capacity is how many accounts there are: numbers below it have accounts of
// their own, above it they come again.
func (g *IBAN) Capacity() uint64 { return g.capacity }

// Country is the code that it was made with.
func (g *IBAN) Country() string { return g.country }

// Bank is the bank code in its accounts, or the beginning that its bank codes
// have in common.
func (g *IBAN) Bank() string { return g.bank }

// Why says how it is known that no bank has this code.
func (g *IBAN) Why() string { return g.why }

// Append appends the IBAN of an account, in electronic form, without spaces.
func (g *IBAN) Append(dst []byte, number uint64) []byte {
	high, low := bits.Mul64(number%g.capacity, g.factor)
	low, carry := bits.Add64(low, g.offset, 0)
	_, account := bits.Div64((high+carry)%g.capacity, low, g.capacity)

	at := len(dst)
	dst = append(dst, g.country...)
	dst = append(dst, "00"...)
	dst = append(dst, g.template...)
	bban := dst[at+4:]
	for i := len(bban) - 1; i >= 0; i-- {
		if bban[i] == '#' {
			bban[i] = byte('0' + account%10)
			account /= 10
		}
	}
	national(g.country, bban)
	rest := mod97(mod97(0, bban), dst[at:at+4]) // the check digits are still 00
	putDigits(dst[at+2:at+4], 98-rest)
	return dst
}
