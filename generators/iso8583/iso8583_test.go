package iso8583_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso8583"
)

var types = []iso8583.MTI{
	iso8583.AuthorisationRequest, iso8583.AuthorisationResponse, iso8583.FinancialRequest,
	iso8583.FinancialResponse, iso8583.ReversalAdvice, iso8583.ReversalResponse,
}

// transaction n of a seed: every field is there in some of them.
func transaction(n uint64, mode identifier.PANMode) *iso8583.Transaction {
	r := generators.Seed(42).Rand("iso8583.test").Entity(n)
	some := func(i uint64, text string) string {
		if generators.Chance(r.At(100+i), 700_000) {
			return text
		}
		return ""
	}
	t := &iso8583.Transaction{
		PAN:        string(identifier.AppendPAN(nil, mode, r.At(0))),
		Processing: []uint32{0, 10000, 200000}[r.At(1)%3],
		Amount:     int64(generators.Below(r.At(2), 1_000_000_000_000)),
		Sent:       1_767_225_600_000_000 + int64(generators.Below(r.At(3), 365*86_400_000_000)),
		Trace:      uint32(generators.Below(r.At(4), 1_000_000)),
		Expiry:     uint16(2600 + generators.Below(r.At(5), 12)),
		MCC:        uint16([]int{0, 5411, 742, 6011}[r.At(6)%4]),
		Country:    uint16([]int{276, 40, 840, 0}[r.At(7)%4]),
		EntryMode:  uint16([]int{51, 71, 812}[r.At(8)%3]),
		Condition:  uint8([]int{0, 8, 59}[r.At(9)%3]),
		Acquirer:   some(10, fmt.Sprint(generators.Below(r.At(10), 100_000_000_000))),
		Reference:  some(11, fmt.Sprintf("%012d", generators.Below(r.At(11), 1_000_000_000_000))),
		AuthCode:   some(12, fmt.Sprintf("%06X", generators.Below(r.At(12), 1<<24))),
		Response:   []string{"00", "51", "05"}[r.At(13)%3],
		Terminal:   some(14, "T"+fmt.Sprint(generators.Below(r.At(14), 10_000_000))),
		Merchant:   some(15, "MERCHANT "+fmt.Sprint(generators.Below(r.At(15), 100_000))),
		Name:       some(16, "Bakery & Sons, a name that is too long for it"),
		City:       some(17, "Springfield-on-the-Hill"),
		Place:      some(18, "DE"),
		Currency:   []string{"978", "392", "414"}[r.At(19)%3],
	}
	t.Local = t.Sent + []int64{0, 3600, -18_000, 19_800}[r.At(20)%4]*1_000_000
	if r.At(21)%2 == 0 {
		t.Billing, t.BilledIn = t.Amount/2+1, "840"
	}
	t.Original = iso8583.Original{Type: iso8583.AuthorisationRequest, Trace: t.Trace / 2, Sent: t.Sent - 1_000_000, Acquirer: t.Acquirer}
	if r.At(22)%2 == 0 {
		t.Actual = t.Amount / 3
	}
	return t
}

// elements is a parser of its own: it knows the fields that are written, and
// nothing of the package. A length below zero is a variable one.
func elements(text string) (fields map[int]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	lengths := map[int]int{
		2: -2, 3: 6, 4: 12, 6: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 18: 4, 19: 3, 22: 3, 25: 2, 32: -2, 37: 12, 38: 6, 39: 2,
		41: 8, 42: 15, 43: 40, 48: -3, 49: 3, 51: 3, 90: 42, 95: 42, 102: -2,
	}
	fields = map[int]string{0: text[:4]}
	bits, rest := text[4:20], text[20:]
	if strings.IndexByte("89ABCDEF", bits[0]) >= 0 {
		bits, rest = bits+rest[:16], rest[16:]
	}
	for i := range 4 * len(bits) {
		var nibble int
		fmt.Sscanf(bits[i/4:i/4+1], "%X", &nibble)
		if i == 0 || nibble&(8>>(i%4)) == 0 {
			continue
		}
		length, ok := lengths[i+1]
		if !ok {
			return nil, fmt.Errorf("field %d", i+1)
		}
		if length < 0 {
			prefix := -length
			fmt.Sscanf(strings.TrimLeft(rest[:prefix], "0")+" ", "%d", &length)
			rest = rest[prefix:]
		}
		fields[i+1], rest = rest[:length], rest[length:]
	}
	if rest != "" {
		return nil, fmt.Errorf("%d characters follow", len(rest))
	}
	return fields, nil
}

// TestRoundTrip writes many transactions in all types and modes, and compares
// what both parsers find with each other and with the transaction.
func TestRoundTrip(t *testing.T) {
	codec, m, buf := iso8583.New(), iso8583.Message{}, []byte(nil)
	for n := range uint64(20_000) {
		mode, mti := identifier.PANMode(n%3), types[n/3%6]
		tx := transaction(n, mode)
		var err error
		if buf, err = codec.Append(append(buf[:0], "before"...), mti, tx); err != nil {
			t.Fatal(err)
		}
		data := buf[len("before"):]
		want, err := elements(string(data))
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if err := codec.Parse(&m, data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if m.Type() != mti || m.Count() != len(want)-1 {
			t.Fatalf("%s: type %v, %d fields, want %d", data, m.Type(), m.Count(), len(want)-1)
		}
		for i := 2; i <= 128; i++ {
			if text, ok := want[i]; string(m.Bytes(i)) != text || m.Has(i) != ok {
				t.Fatalf("%s: field %d is %q, want %q", data, i, m.Bytes(i), text)
			}
		}
		sameTransaction(t, mti, &m, tx)
	}
}

// sameTransaction compares a message with what it was made of.
func sameTransaction(t *testing.T, mti iso8583.MTI, m *iso8583.Message, tx *iso8583.Transaction) {
	t.Helper()
	request := mti != iso8583.AuthorisationResponse && mti != iso8583.FinancialResponse && mti != iso8583.ReversalResponse
	reversal := mti == iso8583.ReversalAdvice || mti == iso8583.ReversalResponse
	text := func(n int, want string, when bool) {
		t.Helper()
		if got := strings.TrimRight(string(m.Bytes(n)), " "); when && got != want || !when && m.Has(n) {
			t.Fatalf("%v field %d: %q, want %q (%v)", mti, n, got, want, when)
		}
	}
	number := func(n int, want int64, when bool) {
		t.Helper()
		if got, ok := m.Number(n); when && (got != want || !ok) || !when && m.Has(n) {
			t.Fatalf("%v field %d: %d, want %d (%v)", mti, n, got, want, when)
		}
	}
	token := strings.HasPrefix(tx.PAN, "tok_")
	text(2, tx.PAN, !token)
	text(102, tx.PAN, token)
	number(3, int64(tx.Processing), true)
	number(4, tx.Amount, true)
	number(6, tx.Billing, tx.Billing > 0)
	number(11, int64(tx.Trace), true)
	number(14, int64(tx.Expiry), request)
	number(18, int64(tx.MCC), tx.MCC > 0)
	number(19, int64(tx.Country), tx.Country > 0)
	number(22, int64(tx.EntryMode), request)
	number(25, int64(tx.Condition), true)
	text(32, tx.Acquirer, tx.Acquirer != "")
	text(37, tx.Reference, tx.Reference != "")
	text(38, tx.AuthCode, (!request || reversal) && tx.AuthCode != "")
	text(39, tx.Response, !request || reversal)
	text(41, tx.Terminal, tx.Terminal != "")
	text(42, tx.Merchant, tx.Merchant != "")
	text(48, iso8583.Marker, true)
	text(49, tx.Currency, true)
	text(51, tx.BilledIn, tx.Billing > 0)
	for _, n := range []int{35, 36, 45, 52, 55} {
		text(n, "", false)
	}
	if m.Has(90) != reversal || m.Has(95) != (reversal && tx.Actual > 0) {
		t.Fatalf("%v: fields 90 and 95: %v, %v", mti, m.Has(90), m.Has(95))
	}
}

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	var b bytes.Buffer
	codec := iso8583.New()
	for n := range uint64(24) {
		line, err := codec.Append(nil, types[n%6], transaction(n, identifier.PANMode(n/2%3)))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	const name = "testdata/messages.golden"
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the bytes changed; write them again with -update if they should:\n%s", b.Bytes())
	}
}

// TestByHand is a message that was packed by hand.
func TestByHand(t *testing.T) {
	tx := &iso8583.Transaction{
		PAN: "4111111111111111", Amount: 1234, Sent: 1_767_225_599_000_000, Trace: 7, Local: 1_767_229_199_000_000,
		EntryMode: 51, Terminal: "TERM1", Currency: "978", Response: "00",
	}
	got, err := iso8583.New().Append(nil, iso8583.AuthorisationRequest, tx)
	// Fields 2, 3, 4, 7, 11, 12, 13, 22, 25, 41, 48 and 49.
	const want = "0100" + "7238048000818000" + "164111111111111111" + "000000" + "000000001234" + "1231235959" + "000007" +
		"005959" + "0101" + "051" + "00" + "TERM1   " + "009SYNTHETIC" + "978"
	if string(got) != want || err != nil {
		t.Errorf("%s, %v\nwant\n%s", got, err, want)
	}
}

// TestRefused: each fault is refused, names its field, and leaves the buffer as
// it was.
func TestRefused(t *testing.T) {
	codec := iso8583.New()
	for name, c := range map[string]struct {
		change func(*iso8583.Transaction)
		want   string
	}{
		"issued card":       {func(t *iso8583.Transaction) { t.PAN = "4539578763621486" }, "field 2"},
		"issued with space": {func(t *iso8583.Transaction) { t.PAN = "4539 5787 6362 1486" }, "field 2"},
		"20 digits":         {func(t *iso8583.Transaction) { t.PAN = "01234567890123456789" }, "field 2"},
		"token too long":    {func(t *iso8583.Transaction) { t.PAN = "tok_" + strings.Repeat("x", 25) }, "field 102"},
		"token of bytes":    {func(t *iso8583.Transaction) { t.PAN = "tok_\x00" }, "field 102"},
		"amount":            {func(t *iso8583.Transaction) { t.Amount = 1_000_000_000_000 }, "field 4"},
		"negative":          {func(t *iso8583.Transaction) { t.Amount = -1 }, "field 4"},
		"trace":             {func(t *iso8583.Transaction) { t.Trace = 1_000_000 }, "field 11"},
		"processing":        {func(t *iso8583.Transaction) { t.Processing = 1_000_000 }, "field 3"},
		"category":          {func(t *iso8583.Transaction) { t.MCC = 10_000 }, "field 18"},
		"acquirer":          {func(t *iso8583.Transaction) { t.Acquirer = "12A" }, "field 32"},
		"long acquirer":     {func(t *iso8583.Transaction) { t.Acquirer = "123456789012" }, "field 32"},
		"code":              {func(t *iso8583.Transaction) { t.AuthCode = "12-456" }, "field 38"},
		"terminal":          {func(t *iso8583.Transaction) { t.Terminal = "123456789" }, "field 41"},
		"name":              {func(t *iso8583.Transaction) { t.Name = "Bäckerei" }, "field 43"},
		"currency":          {func(t *iso8583.Transaction) { t.Currency = "EURO" }, "field 49"},
		"original":          {func(t *iso8583.Transaction) { t.Original.Acquirer = "x" }, "field 90"},
		"original trace":    {func(t *iso8583.Transaction) { t.Original.Trace = 1_000_000 }, "field 90"},
		"actual":            {func(t *iso8583.Transaction) { t.Actual = -5 }, "field 95"},
	} {
		tx := transaction(1, identifier.PANSynthetic)
		c.change(tx)
		got, err := codec.Append([]byte("before"), iso8583.ReversalAdvice, tx)
		if err == nil || !strings.Contains(err.Error(), c.want) || string(got) != "before" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if name == "issued card" && (!errors.Is(err, identifier.ErrIssued) || strings.Contains(err.Error(), tx.PAN)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := codec.Append(nil, 800, transaction(1, 0)); err == nil || !strings.Contains(err.Error(), "0800") {
		t.Errorf("another type: %v", err)
	}
}

// TestDamaged: a good message with one fault is not read.
func TestDamaged(t *testing.T) {
	codec, m := iso8583.New(), iso8583.Message{}
	good, err := codec.Append(nil, iso8583.ReversalAdvice, transaction(4, identifier.PANSynthetic))
	if err != nil || codec.Parse(&m, good) != nil {
		t.Fatal(err)
	}
	for n := range good {
		if err := codec.Parse(&m, good[:n]); !errors.Is(err, iso8583.ErrShort) {
			t.Fatalf("cut to %d: %v", n, err)
		}
		if m.Count() != 0 {
			t.Fatalf("cut to %d: %d fields of a message that is none", n, m.Count())
		}
	}
	replace := func(old, new string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("no %q in %s", old, good)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"tail":        {append(bytes.Clone(good), '0'), iso8583.ErrTail},
		"type":        {append([]byte("04X0"), good[4:]...), iso8583.ErrCharacter},
		"bitmap":      {append([]byte("0420G"), good[5:]...), iso8583.ErrCharacter},
		"third":       {append(append(bytes.Clone(good[:20]), "8000000000000000"...), good[36:]...), iso8583.ErrField},
		"PAN too big": {append(append(bytes.Clone(good[:36]), "20"...), good[38:]...), iso8583.ErrLength},
		"PAN length":  {append(append(bytes.Clone(good[:36]), "1X"...), good[38:]...), iso8583.ErrCharacter},
		"PAN letter":  {append(append(bytes.Clone(good[:38]), 'A'), good[39:]...), iso8583.ErrCharacter},
		"marker":      {replace("SYNTHETIC", "SYNTH\nTIC"), iso8583.ErrCharacter},
		"huge":        {make([]byte, 1<<16), iso8583.ErrLength},
	} {
		if err := codec.Parse(&m, c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	codec := iso8583.New()
	for n := -1; n < 131; n++ {
		f := codec.Field(n)
		if exists := n >= 2 && n <= 128 && n != 65; exists != (f.Name != "" && f.Length > 0) || f.Prefix == 1 || f.Prefix > 3 {
			t.Errorf("field %d: %+v", n, f)
		}
	}
	for n, want := range map[int]iso8583.Field{
		2:   {Name: "primary account number", Kind: iso8583.N, Length: 19, Prefix: 2},
		28:  {Name: "fee or processing fee", Kind: iso8583.XN, Length: 9},
		35:  {Name: "track 2 data", Kind: iso8583.Z, Length: 37, Prefix: 2},
		48:  {Name: "additional data", Kind: iso8583.ANS, Length: 999, Prefix: 3},
		52:  {Name: "personal identification number data", Kind: iso8583.B, Length: 16},
		102: {Name: "account identification 1", Kind: iso8583.ANS, Length: 28, Prefix: 2},
		128: {Name: "message authentication code", Kind: iso8583.B, Length: 16},
	} {
		if got := codec.Field(n); got != want {
			t.Errorf("field %d: %+v, want %+v", n, got, want)
		}
	}
}

func TestAllocations(t *testing.T) {
	codec, m, buf := iso8583.New(), &iso8583.Message{}, make([]byte, 0, 1024)
	n := uint64(0)
	all := []*iso8583.Transaction{transaction(1, 0), transaction(2, 1), transaction(3, 2)}
	if allocs := testing.AllocsPerRun(600, func() {
		n++
		data, err := codec.Append(buf, types[n%6], all[n%3])
		if err != nil || codec.Parse(m, data) != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzParse: no text breaks the parser, and a message that it reads is the
// concatenation of what it found.
func FuzzParse(f *testing.F) {
	codec := iso8583.New()
	for n := range uint64(12) {
		data, err := codec.Append(nil, types[n%6], transaction(n, identifier.PANMode(n%3)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("08008238000000000000040000000000000000000000000000000000301"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m iso8583.Message
		if codec.Parse(&m, data) != nil {
			return
		}
		again := bytes.Clone(data[:20])
		if m.Type() > 9999 || len(data) > 36 && strings.IndexByte("89ABCDEFabcdef", data[4]) >= 0 {
			again = bytes.Clone(data[:36])
		}
		for n := 2; n <= 128; n++ {
			field := codec.Field(n)
			switch {
			case !m.Has(n):
				if m.Bytes(n) != nil {
					t.Fatalf("field %d is not there and has bytes", n)
				}
				continue
			case field.Prefix == 2:
				again = fmt.Appendf(again, "%02d", len(m.Bytes(n)))
			case field.Prefix == 3:
				again = fmt.Appendf(again, "%03d", len(m.Bytes(n)))
			}
			again = append(again, m.Bytes(n)...)
			m.Number(n)
		}
		if string(again[20:]) != string(data[20:]) {
			t.Fatalf("%q is read as %q", data, again)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	codec, tx, buf := iso8583.New(), transaction(1, identifier.PANSynthetic), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		data, err := codec.Append(buf, iso8583.FinancialRequest, tx)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}

func BenchmarkParse(b *testing.B) {
	codec, m := iso8583.New(), iso8583.Message{}
	data, err := codec.Append(nil, iso8583.FinancialRequest, transaction(1, identifier.PANSynthetic))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.Parse(&m, data); err != nil {
			b.Fatal(err)
		}
	}
}
