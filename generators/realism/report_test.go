package realism

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBank measures a whole bank whose laws are known.
func TestBank(t *testing.T) {
	b := bank{customers: 3000, merchants: 2000, records: 150_000, days: 28, fraud: 0.004}
	e := b.expect()
	e.Multiplicity = 10.3 // of transfers to the one bank account
	r := measured(t, Options{Source: "the bank", Expect: e}, b)
	for _, m := range r.Measures {
		if m.Verdict == Fail {
			t.Errorf("%s: %s", m.Name, m.Sentence)
		}
		if m.Sentence == "" || m.Title == "" || m.Published == "" || m.Source == "" || m.Group == "" || m.Details == nil {
			t.Errorf("%s lacks words: %+v", m.Name, m)
		}
		if strings.Contains(m.Sentence, "%!") || strings.Contains(m.Sentence, "NaN") {
			t.Errorf("%s: %q", m.Name, m.Sentence)
		}
	}
	if r.Verdict != Pass || r.Passed < 17 || r.Passed+r.Failed+r.NotMeasured != len(r.Measures) {
		t.Errorf("%s: %s (%d passed)", r.Verdict, r.Reason, r.Passed)
	}
	names := map[string]bool{}
	for _, s := range r.Scores {
		names[s.Name] = true
		if s.Value < 0.99 || s.Value > 1 {
			t.Errorf("score %+v", s)
		}
	}
	for _, name := range []string{"KSComplement", "TVComplement", "KeyUniqueness", "BoundaryAdherence"} {
		if !names[name] {
			t.Errorf("no score %s", name)
		}
	}
}

// fixed is a stream made of whole numbers only, the same on every machine, with
// something of everything.
func fixed(n int, use func(*Record)) {
	amounts := generators.NewLogNormal()
	draw := func(purpose string) generators.Rand { return generators.Seed(5).Rand(purpose) }
	kind, who, shop, amount := draw("kind"), draw("who"), draw("shop"), draw("amount")
	second, crime, whom := draw("second"), draw("crime"), draw("whom")
	shops := generators.NewAlias(generators.Zipf(300)...)
	kinds := generators.NewAlias(70, 20, 6, 4)
	held := [200]int64{}
	at := int64(start)
	for i := range uint64(n) {
		at += int64(generators.Below(second.At(i), 120_000_000))
		from := generators.Below(who.At(i), 200)
		r := Record{
			ID: "p" + strconv.FormatUint(i, 10), Time: at, Zone: 3600, Account: "A" + strconv.FormatUint(from, 10),
			Currency: "EUR", Exponent: 2, Country: "DE", Status: "approved", Label: Genuine,
			Amount: amounts.Draw(amount.At(i), 4000, generators.Sigma(1100)), Known: KnownBalance,
		}
		switch kinds.Pick(kind.At(i)) {
		case 0:
			m := shops.Pick(shop.At(i))
			r.Type, r.Merchant, r.MCC, r.Channel = "card_payment", "M"+strconv.Itoa(m), strconv.Itoa(5000+m%5), "pos"
		case 1:
			r.Type, r.Channel = "transfer", "app"
			r.Counterparty = "A" + strconv.FormatUint(generators.Below(whom.At(i), 200), 10)
		case 2:
			r.Type, r.Channel, r.Amount = "cash", "atm", r.Amount/1000*1000+1000
		default:
			r.Type, r.Channel, r.Parent = "refund", "pos", "p"+strconv.FormatUint(i/2, 10)
		}
		if generators.Chance(crime.At(i), 20_000) {
			r.Label, r.Case, r.Amount = Fraud, "c"+strconv.FormatUint(i/900, 10), 999_900
		}
		r.Change = -r.Amount
		held[from] += r.Change
		r.Balance = held[from]
		use(&r)
	}
}

func fixedReport(t testing.TB, n int) *Report {
	t.Helper()
	m, err := New(Options{Source: "fixed.jsonl", Expect: Expect{
		TypeMix: map[string]float64{"card_payment": 70, "transfer": 20, "cash": 6, "refund": 4},
		Hours:   slices.Repeat([]float64{1}, 24), FraudVolume: 0.02, Zipf: 1, Sigma: map[string]float64{"card_payment": 1.1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	fixed(n, m.Observe)
	return m.Report()
}

// TestGolden holds the text against a file, and the whole report against a
// digest: they are the same on every machine.
func TestGolden(t *testing.T) {
	r := fixedReport(t, 40_000)
	var text bytes.Buffer
	if err := Text(&text, r); err != nil {
		t.Fatal(err)
	}
	data, err := JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	page, err := HTML(r)
	if err != nil {
		t.Fatal(err)
	}
	digest := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	sums := "report.json  " + digest(data) + "\nreport.html  " + digest(page) + "\n"
	for name, got := range map[string]string{"text.txt": text.String(), "digests.txt": sums} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (go test -update writes it):\n%s", name, diff)
		}
	}
	if again := fixedReport(t, 40_000); !cmp.Equal(again.Measures, r.Measures, cmp.AllowUnexported(Measure{})) {
		t.Error("the same stream has two reports")
	}
}

func TestJSONComesBack(t *testing.T) {
	r := fixedReport(t, 5000)
	data, err := JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Measures.scores" }, cmp.Ignore())
	if diff := cmp.Diff(r, back, ignore); diff != "" {
		t.Errorf("what comes back differs:\n%s", diff)
	}
	var keys map[string]any
	if err := json.Unmarshal(data, &keys); err != nil {
		t.Fatal(err)
	}
	var names []string
	for k := range keys["measures"].([]any)[0].(map[string]any) {
		names = append(names, k)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got !=
		"details group high low name published samples sentence source title unit value verdict" {
		t.Errorf("keys of a measure: %s", got)
	}
	for _, bad := range []string{"", "[]", `{"schema_version":"0"}`} {
		if _, err := Read([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestPageIsWhole: well-formed, of one file, without scripts, and deaf to what
// names say.
func TestPageIsWhole(t *testing.T) {
	m, err := New(Options{Source: `<script>alert("x")</script>` + "\u202eevil"})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	fixed(20_000, func(r *Record) {
		if i++; i%3 == 0 {
			r.Type, r.MCC, r.Channel = `</svg><b onload="x">`, "\x00<i>", "a\u202eb"
		}
		m.Observe(r)
	})
	r := m.Report()
	page, err := HTML(r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, bad := range []string{"<script", "</svg><b", "<i>", "NaN", "Inf", "\u202e", "ZgotmplZ", "http://", "https://", "src=", "-0 "} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	pictures := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	if len(pictures) < 8 {
		t.Errorf("%d pictures", len(pictures))
	}
	for _, svg := range pictures {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
	}
	for _, m := range r.Measures {
		if !strings.Contains(text, m.Title) {
			t.Errorf("the page has no %q", m.Title)
		}
	}
}

// TestNothing: no data is no pass.
func TestNothing(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for records := range 2 {
		r := m.Report()
		if r.Verdict != NotMeasured && records == 0 {
			t.Errorf("nothing is %s", r.Verdict)
		}
		for _, x := range r.Measures {
			if x.Verdict == Fail || x.Verdict == Pass && x.Name != "key_uniqueness" {
				t.Errorf("%s of %d records: %s", x.Name, records, x.Verdict)
			}
		}
		if _, err := HTML(r); err != nil {
			t.Error(err)
		}
		if _, err := JSON(r); err != nil {
			t.Error(err)
		}
		if err := Text(io.Discard, r); err != nil {
			t.Error(err)
		}
		m.Observe(&Record{ID: "one"})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"hours":    {Expect: Expect{Hours: make([]float64, 23)}},
		"no hours": {Expect: Expect{Hours: make([]float64, 24)}},
		"weekdays": {Expect: Expect{Weekdays: []float64{1}}},
		"negative": {Expect: Expect{TypeMix: map[string]float64{"a": -1, "b": 2}}},
		"NaN":      {Expect: Expect{TypeMix: map[string]float64{"a": math.NaN()}}},
		"share":    {Expect: Expect{Decline: 3}},
		"column":   {Expect: Expect{Independent: [][2]string{{"mcc", "colour"}}}},
		"texts":    {Texts: make([]string, 5)},
		"numbers":  {Numbers: make([]string, 5)},
	} {
		if _, err := New(o); err == nil || fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v (%v)", name, err, fail.HintOf(err))
		}
	}
	if _, err := New(Options{Texts: []string{"colour"}, Expect: Expect{Dependent: [][2]string{{"mcc", "colour"}}}}); err != nil {
		t.Error(err)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	fixed(30_000, func(r *Record) { records = append(records, *r) })
	for i := range records {
		m.Observe(&records[i])
	}
	m.keys.set = newKeySet(1 << 20)
	m.keys.set.slots = make([]uint64, 1<<17)
	m.sample.rest.rows = slices.Grow(m.sample.rest.rows, 30_000)
	m.sample.fraud.rows = slices.Grow(m.sample.fraud.rows, 3000)
	i := 0
	allocs := testing.AllocsPerRun(20_000, func() {
		i = (i + 1) % len(records)
		m.Observe(&records[i])
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a record that is known", allocs)
	}
}

// FuzzObserve: whatever a record says, a report can be made.
func FuzzObserve(f *testing.F) {
	f.Add("id", "parent", "type", int64(0), int64(0), int32(0), uint8(0))
	f.Add("", "\xff\xfe", "\x00", int64(math.MinInt64), int64(math.MinInt64), int32(math.MinInt32), uint8(255))
	f.Add("a", "a", "purchase", int64(math.MaxInt64), int64(math.MaxInt64), int32(math.MaxInt32), uint8(7))
	f.Fuzz(func(t *testing.T, id, parent, kind string, at, amount int64, zone int32, bits uint8) {
		m, err := New(Options{Expect: Expect{Hours: retail(), Paydays: []int{1, -1}, FraudVolume: 0.1, FraudValue: 0.1}})
		if err != nil {
			t.Fatal(err)
		}
		r := Record{
			ID: id, Parent: parent, Type: kind, Time: at, Amount: amount, Zone: zone, Known: Known(bits), Label: Label(bits % 3),
			Account: id, Counterparty: parent, Merchant: kind, MCC: id, Currency: kind, Exponent: int8(bits),
			Change: amount, Balance: at, CounterpartyChange: at, Transit: amount, Texts: []string{id}, Numbers: []int64{at, at, at, at, at, at},
		}
		for i := range 300 {
			m.Observe(&r)
			r.Account += string(rune('a' + i%26))
			if r.Time += int64(i) * 1e9; i%5 == 0 {
				r.Label = Label(i % 3)
			}
			if len(r.Account) > 40 {
				r.Account = id
			}
		}
		report := m.Report()
		if _, err := JSON(report); err != nil {
			t.Error(err)
		}
		if _, err := HTML(report); err != nil {
			t.Error(err)
		}
	})
}
