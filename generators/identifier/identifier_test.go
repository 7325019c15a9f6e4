package identifier_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// kind is an identifier with its generator, its validator, and texts that
// others have published, valid and not.
type kind struct {
	name      string
	append    func([]byte, uint64) []byte
	check     func([]byte) error
	good, bad []string
	covered   bool // by check digits, every place: an altered digit or letter is found
}

func kinds() []kind {
	second := generators.Seed(9).Rand("second")
	return []kind{
		{
			name:   "bic",
			append: func(b []byte, n uint64) []byte { return identifier.AppendBIC(b, "GB", n) },
			check:  identifier.CheckBIC[[]byte],
			good:   []string{"DEUTDEFF", "DEUTDEFF500", "NEDSZAJJXXX", "DABADKKK", "UNCRITMM", "E097AEXX"},
			bad:    []string{"", "DEUTDEF", "DEUTDEFFXX", "DEUTDEFFXXXX", "DEUT1EFF", "deutdeff", "DEUT-EFF"},
		},
		{
			name:    "lei",
			append:  identifier.AppendLEI,
			check:   identifier.CheckLEI[[]byte],
			good:    []string{"213800WSGIIZCXF1P572", "5493000IBP32UQZ0KL24", "HWUPKR0MPOU8FGXBT394", "7LTWFZYICNSX8D621K86"},
			bad:     []string{"", "213800WSGIIZCXF1P573", "213800WSGIIZCXF1P57", "213800wsgiizcxf1p572", "213800WSGIIZCXF1P5A2"},
			covered: true,
		},
		{
			name:    "aba",
			append:  identifier.AppendABA,
			check:   identifier.CheckABA[[]byte],
			good:    []string{"111000025", "021000021", "011401533", "091000019", "122105155"},
			bad:     []string{"", "112000025", "11100002", "1110000255", "11100002B", "021000012"},
			covered: true,
		},
		{
			name:   "uetr",
			append: func(b []byte, n uint64) []byte { return identifier.AppendUETR(b, second.At(n), n) },
			check:  identifier.CheckUETR[[]byte],
			good:   []string{"97ed4827-7b6f-4491-a06f-b548d5a7512d", "eb6305c9-1f7f-49de-aed0-16487c27b42d"},
			bad: []string{
				"", "97ed4827-7b6f-1491-a06f-b548d5a7512d", "97ed4827-7b6f-4491-c06f-b548d5a7512d",
				"97ED4827-7B6F-4491-A06F-B548D5A7512D", "97ed48277b6f-4491-a06f-b548d5a7512d0", "97ed4827-7b6f-4491-a06f-b548d5a7512",
			},
		},
		{
			name:    "synthetic pan",
			append:  func(b []byte, n uint64) []byte { return identifier.AppendPAN(b, identifier.PANSynthetic, n) },
			check:   identifier.CheckLuhn[[]byte],
			good:    append(identifier.TestPANs(), "49927398716", "79927398713", "18", "0000000000000000"),
			bad:     []string{"", "0", "49927398717", "1234567812345678", "79927398710", "4111-1111-1111-1111", "5555555555554445"},
			covered: true,
		},
	}
}

// TestKinds makes a million of each, shows them to the validator, and shows the
// validator what others say is right and wrong.
func TestKinds(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for _, text := range k.good {
				if err := k.check([]byte(text)); err != nil {
					t.Error(err)
				}
			}
			for _, text := range k.bad {
				if k.check([]byte(text)) == nil {
					t.Errorf("%q passed", text)
				}
			}
			buf := make([]byte, 0, 64)
			for n := range uint64(1_000_000) {
				buf = k.append(buf[:0], n*0x9e3779b97f4a7c15)
				if err := k.check(buf); err != nil {
					t.Fatal(err)
				}
			}
			for i := 0; i < len(buf) && k.covered; i++ {
				was := buf[i]
				for _, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
					// ISO 7064 does not promise to find a letter for a digit.
					if buf[i] = c; c != was && (c <= '9') == (was <= '9') && k.check(buf) == nil {
						t.Fatalf("%s: nobody minds the %d. character", buf, i+1)
					}
				}
				buf[i] = was
			}
		})
	}
}

func TestDistinct(t *testing.T) {
	for name, make := range map[string]func(uint64) []byte{
		"bic":   func(n uint64) []byte { return identifier.AppendBIC(nil, "FR", n) },
		"lei":   func(n uint64) []byte { return identifier.AppendLEI(nil, n) },
		"aba":   func(n uint64) []byte { return identifier.AppendABA(nil, n) },
		"uetr":  func(n uint64) []byte { return identifier.AppendUETR(nil, n, 0) },
		"token": func(n uint64) []byte { return identifier.AppendPAN(nil, identifier.PANToken, n) },
		"pan":   func(n uint64) []byte { return identifier.AppendPAN(nil, identifier.PANSynthetic, n) },
		"email": func(n uint64) []byte { return identifier.AppendEmail(nil, "a", n) },
		"ipv6":  func(n uint64) []byte { return identifier.AppendIPv6(nil, n) },
	} {
		seen := map[string]bool{}
		for n := range uint64(4096) {
			seen[string(make(n))] = true
		}
		if len(seen) != 4096 {
			t.Errorf("%s: %d texts for 4096 numbers", name, len(seen))
		}
	}
}

func TestTestBIC(t *testing.T) {
	for number := range uint64(20_000) {
		bic := identifier.AppendBIC(nil, "NL", number)
		if !identifier.IsTestBIC(bic) {
			t.Fatalf("%s is not for tests", bic)
		}
	}
	if bic := string(identifier.AppendBIC(nil, "NL", 675)); bic != "ZZZZNLA0" {
		t.Errorf("number 675 is %s", bic)
	}
	for _, live := range []string{"DEUTDEFF", "ABNANL2A", "DABADKKKXXX", "0"} {
		if identifier.IsTestBIC(live) {
			t.Errorf("%s is for tests", live)
		}
	}
}

func TestABAPrefix(t *testing.T) {
	for n := range uint64(100_000) {
		if aba := identifier.AppendABA(nil, n*99991); identifier.AssignedABA(aba) {
			t.Fatalf("a bank may have %s", aba)
		}
	}
	for text, want := range map[string]bool{
		"00": true, "12": true, "13": false, "20": false, "21": true, "32": true, "33": false, "60": false, "61": true,
		"72": true, "73": false, "79": false, "80": true, "81": false, "99": false, "": false, "A1": false, "1": false,
	} {
		if identifier.AssignedABA(text) != want {
			t.Errorf("prefix %q: assigned is not %v", text, want)
		}
	}
}

func TestPANModes(t *testing.T) {
	for i, name := range identifier.PANModes() {
		if mode, err := identifier.ParsePANMode(name); err != nil || mode != identifier.PANMode(i) || mode.String() != name {
			t.Errorf("%s: %v, %v", name, mode, err)
		}
	}
	if mode, err := identifier.ParsePANMode(""); err != nil || mode != identifier.PANToken {
		t.Errorf("no mode: %v, %v", mode, err)
	}
	if _, err := identifier.ParsePANMode("real"); fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
		t.Errorf("real: %v", err)
	}
	tests := map[string]bool{}
	for n := range uint64(100_000) {
		number := n * 0x9e3779b97f4a7c15
		for mode := range identifier.PANMode(3) {
			pan := identifier.AppendPAN(nil, mode, number)
			if err := identifier.RefuseIssued(pan); err != nil {
				t.Fatalf("%v: %s: %v", mode, pan, err)
			}
			switch {
			case mode == identifier.PANTest:
				tests[string(pan)] = true
			case mode == identifier.PANToken && (len(pan) != 15 || string(pan[:4]) != "tok_"):
				t.Fatalf("token %s", pan)
			case mode == identifier.PANSynthetic && (len(pan) != 16 || pan[0] != '0'):
				t.Fatalf("synthetic %s", pan)
			}
		}
	}
	if len(tests) != len(identifier.TestPANs()) {
		t.Errorf("%d of %d test numbers were used", len(tests), len(identifier.TestPANs()))
	}
}

// TestRefuseIssued is the control of the guard: one digit beside a published
// test number is somebody's, and so is every other number outside of 0.
func TestRefuseIssued(t *testing.T) {
	issued := []string{"4111111111111112", "411111111111111", "41111111111111111", "9792000000000001", "6759649826438453", "123456789012", "4111 1111 1111 1112", "4111-1111-1111-1112"}
	for _, pan := range identifier.TestPANs() {
		if err := identifier.RefuseIssued(pan); err != nil {
			t.Errorf("%s: %v", pan, err)
		}
		issued = append(issued, pan[:6]+string('0'+(pan[6]-'0'+1)%10)+pan[7:])
	}
	for first := byte('1'); first <= '9'; first++ {
		issued = append(issued, string(first)+"000000000000000000", string(first)+"00000000000")
	}
	for _, pan := range issued {
		err := identifier.RefuseIssued(pan)
		if !errors.Is(err, identifier.ErrIssued) || fail.CodeOf(err) != fail.Usage || strings.Contains(err.Error(), pan) {
			t.Errorf("%s: %v", pan, err)
		}
	}
	for _, other := range []string{"", "tok_41111111111", "41111111111", "41111111111111111111", "4111 1111 1111 1111", "0111111111111116"} {
		if err := identifier.RefuseIssued(other); err != nil {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func TestContacts(t *testing.T) {
	for _, country := range identifier.PhoneCountries() {
		for n := range uint64(10_000) {
			phone, ok := identifier.AppendPhone(nil, country, n*0x9e3779b97f4a7c15)
			if !ok || !identifier.IsFictionalPhone(phone) || len(phone) < 10 || len(phone) > 16 {
				t.Fatalf("%s: %s", country, phone)
			}
		}
	}
	for _, country := range []string{"ES", "", "U", "US ", "+1", "\nA"} {
		if phone, ok := identifier.AppendPhone([]byte("x"), country, 1); ok || string(phone) != "x" {
			t.Errorf("%q: %s", country, phone)
		}
	}
	for phone, want := range map[string]bool{
		"+12025550143": true, "+447700900461": true, "+442079460000": true, "+33639981234": true, "+493023125000": true,
		"+12025551212": false, "+12025550243": false, "+447700910461": false, "+33123456789": false, "12025550143": false, "": false,
	} {
		if identifier.IsFictionalPhone(phone) != want {
			t.Errorf("%s: fictional is not %v", phone, want)
		}
	}
	for n := range uint64(10_000) {
		for _, address := range [][]byte{identifier.AppendIPv4(nil, n), identifier.AppendIPv6(nil, n<<40|n)} {
			if !identifier.IsDocumentationIP(address) {
				t.Fatalf("%s", address)
			}
		}
		if mail := identifier.AppendEmail(nil, "Søren O'Neill 2nd.", n); !identifier.IsExampleEmail(mail) {
			t.Fatalf("%s", mail)
		}
	}
	for _, live := range []string{"8.8.8.8", "10.0.0.1", "192.0.3.1", "2001:db9::1", "::1", "x", ""} {
		if identifier.IsDocumentationIP(live) {
			t.Errorf("%s is for documentation", live)
		}
	}
	for _, live := range []string{"a@b.com", "a@myexample.com", "a@example.com.org", "example.com", ""} {
		if identifier.IsExampleEmail(live) {
			t.Errorf("%s is an example", live)
		}
	}
	for name, want := range map[string]string{
		"Anna Müller":  "anna.mller.5@example.net",
		"":             "nobody.5@example.net",
		"日本":           "nobody.5@example.net",
		" A - B . C- ": "a.b.c.5@example.net",
	} {
		if got := string(identifier.AppendEmail(nil, name, 5)); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestTables(t *testing.T) {
	last, all := "", identifier.Currencies()
	numbers := map[string]bool{}
	for _, c := range all {
		found, ok := identifier.FindCurrency(c.Code)
		if !ok || found != c || c.Code <= last || len(c.Number) != 3 || numbers[c.Number] || c.Exponent < 0 || c.Exponent > 3 {
			t.Errorf("%+v after %s", c, last)
		}
		last, numbers[c.Number] = c.Code, true
	}
	for code, want := range map[string]int{"JPY": 0, "KWD": 3, "EUR": 2, "AED": 2, "ZWG": 2, "CLP": 0, "ISK": 0, "TND": 3, "KRW": 0} {
		if c, ok := identifier.FindCurrency(code); !ok || c.Exponent != want {
			t.Errorf("%s: %+v", code, c)
		}
	}
	for _, code := range []string{"", "EU", "EURO", "eur", "XXX", "AAA", "ZZZ", "ED7"} {
		if c, ok := identifier.FindCurrency(code); ok {
			t.Errorf("%q: %+v", code, c)
		}
	}
	if len(all) != 155 {
		t.Errorf("%d currencies", len(all))
	}
	last = ""
	for _, c := range identifier.MCCs() {
		name, ok := identifier.FindMCC(c.Code)
		if !ok || name != c.Name || name == "" || c.Code <= last {
			t.Errorf("%+v after %s", c, last)
		}
		last = c.Code
	}
	for _, code := range []string{"", "5", "0000", "9999", "5411 ", "541", "Wome", "\n541"} {
		if name, ok := identifier.FindMCC(code); ok {
			t.Errorf("%q is %s", code, name)
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		exponent int
		want     string
	}{
		{0, 0, "0"},
		{0, 2, "0.00"},
		{5, 2, "0.05"},
		{1234, 2, "12.34"},
		{1234, 0, "1234"},
		{1234, 3, "1.234"},
		{-1, 3, "-0.001"},
		{9223372036854775807, 2, "92233720368547758.07"},
		{-9223372036854775808, 0, "-9223372036854775808"},
		{-9223372036854775808, 18, "-9.223372036854775808"},
	} {
		if got := string(identifier.AppendAmount(nil, c.minor, c.exponent)); got != c.want {
			t.Errorf("%d with %d decimals: %s, want %s", c.minor, c.exponent, got, c.want)
		}
	}
}

// TestAllocations: nothing is allocated where there is room.
func TestAllocations(t *testing.T) {
	buf := make([]byte, 0, 64)
	g, n := iban(t, "FR"), uint64(0)
	pan := []byte("0000000000000000")
	for name, f := range map[string]func(){
		"iban":   func() { g.Append(buf, n) },
		"bic":    func() { identifier.AppendBIC(buf, "FR", n) },
		"lei":    func() { identifier.AppendLEI(buf, n) },
		"aba":    func() { identifier.AppendABA(buf, n) },
		"uetr":   func() { identifier.AppendUETR(buf, n, n) },
		"token":  func() { identifier.AppendPAN(buf, identifier.PANToken, n) },
		"test":   func() { identifier.AppendPAN(buf, identifier.PANTest, n) },
		"pan":    func() { identifier.AppendPAN(buf, identifier.PANSynthetic, n) },
		"phone":  func() { identifier.AppendPhone(buf, "US", n) },
		"email":  func() { identifier.AppendEmail(buf, "Ann Bee", n) },
		"ipv4":   func() { identifier.AppendIPv4(buf, n) },
		"ipv6":   func() { identifier.AppendIPv6(buf, n) },
		"amount": func() { identifier.AppendAmount(buf, int64(n), 2) },
		"guard":  func() { _ = identifier.RefuseIssued(pan) },
		"mcc":    func() { identifier.FindMCC("5411") },
		"money":  func() { identifier.FindCurrency("JPY") },
	} {
		if allocs := testing.AllocsPerRun(200, func() { n += 0x9e3779b97f4a7c15; f() }); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// FuzzChecks: no validator panics, and what passes has the shape it must have.
func FuzzChecks(f *testing.F) {
	for _, k := range kinds() {
		for _, text := range append(k.good, k.bad...) {
			f.Add(text)
		}
	}
	for _, text := range published {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range kinds() {
			_ = k.check([]byte(text))
		}
		if identifier.CheckIBAN(text) == nil && (len(text) < 15 || strings.ToUpper(text) != text) {
			t.Errorf("%q passed", text)
		}
		if identifier.RefuseIssued(text) != nil && strings.Trim(text, "0123456789 -") != "" {
			t.Errorf("%q refused", text)
		}
		identifier.IsFictionalPhone(text)
		identifier.IsExampleEmail(text)
		identifier.IsDocumentationIP(text)
		if mail := identifier.AppendEmail(nil, text, 1); !identifier.IsExampleEmail(mail) || strings.Contains(string(mail), "..") {
			t.Errorf("%q: %s", text, mail)
		}
	})
}
