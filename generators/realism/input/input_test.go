package input

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators/realism"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// write writes a file of a test.
func write(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	name = filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

// read reads a file into records.
func read(tb testing.TB, o Options, name string) ([]realism.Record, error) {
	tb.Helper()
	r, err := New(o)
	if err != nil {
		return nil, err
	}
	var out []realism.Record
	err = r.Read(tb.Context(), name, func(w *realism.Record) { out = append(out, *w) })
	return out, err
}

const (
	asCSV = "event_id,event_time,event_type,account_id,counterparty_id,mcc,amount_minor,currency,is_fraud,payment_id,ignored\n" +
		"e1,2026-01-05T10:00:00.5+01:00,card_payment,a1,m1,5411,1234,EUR,0,p1,x\n" +
		"\"e\"\"2\",2026-01-05T10:00:01Z,transfer,a1,a2,,700,JPY,1,p1,\"two\nlines\"\n"
	asJSON = `{"event_id":"e1","event_time":"2026-01-05T10:00:00.5+01:00","event_type":"card_payment","account_id":"a1",` +
		`"counterparty_id":"m1","mcc":"5411","amount_minor":1234,"currency":"EUR","is_fraud":false,"payment_id":"p1",` +
		`"ignored":[1]}` + "\n\n" +
		`{"payment_id":"p1","is_fraud":true,"currency":"JPY","amount_minor":"700","mcc":null,"counterparty_id":"a2",` +
		`"account_id":"a1","event_type":"transfer","event_time":1767607201000,"event_id":"e\u00222"}`
)

func wanted() []realism.Record {
	return []realism.Record{
		{
			ID: "e1", Time: 1767603600500000, Zone: 3600, Type: "card_payment", Account: "a1", Merchant: "m1", MCC: "5411",
			Amount: 1234, Currency: "EUR", Exponent: 2, Label: realism.Genuine,
		},
		{
			ID: `e"2`, Time: 1767607201000000, Type: "transfer", Account: "a1", Counterparty: "a2", Amount: 700,
			Currency: "JPY", Label: realism.Fraud, Parent: "e1",
		},
	}
}

func zipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// parquetOf writes the same records as Parquet, in another order of columns.
func parquetOf(tb testing.TB) []byte {
	tb.Helper()
	text := arrow.BinaryTypes.String
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "nested", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
		{Name: "event_id", Type: text},
		{Name: "event_type", Type: text},
		{Name: "account_id", Type: text},
		{Name: "counterparty_id", Type: text},
		{Name: "mcc", Type: text, Nullable: true},
		{Name: "currency", Type: text},
		{Name: "payment_id", Type: text},
		{Name: "event_time", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
		{Name: "amount_minor", Type: arrow.PrimitiveTypes.Int64},
		{Name: "is_fraud", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "utc_offset", Type: arrow.PrimitiveTypes.Int32},
	}, nil)
	const rows = `[
		{"event_id": "e1", "event_type": "card_payment", "account_id": "a1", "counterparty_id": "m1", "mcc": "5411",
			"currency": "EUR", "payment_id": "p1", "event_time": "2026-01-05 09:00:00.500Z", "amount_minor": 1234,
			"is_fraud": false, "utc_offset": 3600},
		{"event_id": "e\"2", "event_type": "transfer", "account_id": "a1", "counterparty_id": "a2",
			"currency": "JPY", "payment_id": "p1", "event_time": "2026-01-05 10:00:01.000Z", "amount_minor": 700,
			"is_fraud": true, "utc_offset": 0}]`
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		tb.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// The same records in every format are the same records.
func TestFormats(t *testing.T) {
	for name, data := range map[string][]byte{
		"a.csv": []byte(asCSV), "bom.csv": []byte("\ufeff" + asCSV), "a.csv.gz": zipped(t, asCSV),
		"semicolons.csv": []byte(strings.ReplaceAll(asCSV, ",", ";")), "a.jsonl": []byte(asJSON),
		"a.jsonl.gz": zipped(t, asJSON), "a.parquet": parquetOf(t),
	} {
		got, err := read(t, Options{}, write(t, name, data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(wanted(), got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	head, rest, _ := strings.Cut(asCSV, "\n")
	got, err := read(t, Options{Columns: strings.Split(head, ",")}, write(t, "bare.csv", []byte(rest)))
	if diff := cmp.Diff(wanted(), got); err != nil || diff != "" {
		t.Errorf("without a line of names: %v (-want +got)\n%s", err, diff)
	}
}

// PaySim as it is published: hours, amounts in major units, both balances.
func TestPaySim(t *testing.T) {
	const text = "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud\n" +
		"2,PAYMENT,9839.64,C1231006815,170136.0,160296.36,M1979787155,0.0,0.0,0\n"
	o := Options{Map: map[string]string{"time": "step"}, TimeUnit: "h"}
	got, err := read(t, o, write(t, "paysim.csv", []byte(text)))
	want := []realism.Record{{
		Time: 7_200_000_000, Type: "PAYMENT", Amount: 983964, Exponent: 2, Account: "C1231006815", Counterparty: "M1979787155",
		Known:  realism.KnownBalance | realism.KnownCounterpartyBalance | realism.KnownLegs,
		Change: -983964, Balance: 16029636, Label: realism.Genuine,
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestLabels(t *testing.T) {
	records := write(t, "r.csv", []byte("event_id,payment_id,amount\ne1,7,1\ne2,7,1\ne3,8,1\ne4,9,1\n"))
	for _, c := range []struct {
		text    string
		columns map[string]string
		fraud   string
		of      string
	}{
		{"event_id,payment_id,case_id\nl1,7,c1\nl2,9,c2\n", nil, "1101", "c1 c1  c2"},
		{"id,case\ne3,c9\n", map[string]string{"id": "id", "case": "case"}, "0010", "  c9 "},
		{"txn,bad\ne1,no\ne2,yes\n", map[string]string{"id": "txn", "label": "bad"}, "0100", "   "},
		{"event_id,payment_id\ne4,7\n", map[string]string{"id": "event_id"}, "0001", "   "},
	} {
		l, err := ReadLabels(t.Context(), write(t, "l.csv", []byte(c.text)), c.columns)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		got, err := read(t, Options{Labels: l}, records)
		if err != nil {
			t.Fatal(err)
		}
		fraud, of := "", []string{}
		for _, r := range got {
			fraud += fmt.Sprint(int(r.Label) - 1)
			of = append(of, r.Case)
		}
		if fraud != c.fraud || strings.Join(of, " ") != c.of {
			t.Errorf("%q: fraud %s of %q, want %s of %q", c.text, fraud, of, c.fraud, c.of)
		}
	}
	if _, err := ReadLabels(t.Context(), write(t, "l.csv", []byte("case_id\nc1\n")), nil); err == nil ||
		!strings.Contains(err.Error(), "line 2: the label has no id") {
		t.Errorf("labels without an id: %v", err)
	}
}

// Every row that cannot be read says where and why.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "amount,time\n1.5,2026-01-01\nx,2026-01-01\n", `line 3: amount "x" is not a number`},
		{"a.csv", "amount\n1\n\n2,3\n", "line 4: not as many values as there are names: 1"},
		{"a.csv", "amount\n\"1\n", "line 2: extraneous or missing \" in quoted-field"},
		{"a.csv", "amount\n\"" + strings.Repeat("1", 3*maxRow), "a row of more than 1048576 bytes"},
		{"a.csv", "amount,amount\n1,2\n", `column "amount" is there twice`},
		{"a.csv", "foo,bar\n1,2\n", "no column is known; there are foo, bar"},
		{"a.csv", "amount_minor\n1.5\n", `line 2: amount "1.5" is not a whole number of minor units`},
		{"a.csv", "amount_minor\n1.0\n9223372036854775808\n", `line 3: amount "9223372036854775808" is not a number`},
		{"a.csv", "time\nyesterday\n", `line 2: time "yesterday" is none`},
		{"a.csv", "label\nperhaps\n", `line 2: label "perhaps" is neither yes nor no`},
		{"a.csv", "amount,currency_exponent\n1,x\n", `exponent "x" is not a number`},
		{"a.csv", "time,utc_offset\n1,east\n", `offset "east" is not one from UTC`},
		{"a.jsonl", "{\"amount\":1}\n{\"amount\":[1]}\n", "line 2: column amount: a list or an object"},
		{"a.jsonl", "{\"amount\":1}\n{\"amount\":1\n", "line 2: no JSON object"},
		{"a.jsonl", "{\"x\":1}\n", "line 1: no column is known; there are x"},
		{"a.jsonl", "{\"amount\":\"" + strings.Repeat("1", 2*maxRow), "line 1: a line of more than 1048576 bytes"},
		{"a.json", "[{\"amount\":1}]", "a JSON array"},
		{"a.zst", "\x28\xb5\x2f\xfd....", "compressed with zstd"},
		{"a.gz", "\x1f\x8b....", "unpacking gzip"},
		{"a.parquet", "PAR1 and nothing else", "opening Parquet"},
	} {
		_, err := read(t, Options{}, write(t, c.name, []byte(c.text)))
		if err == nil || !strings.Contains(err.Error(), c.want) || fail.CodeOf(err) != fail.Usage {
			t.Errorf("%.60q: got %v (exit %d), want %s", c.text, err, fail.CodeOf(err), c.want)
		}
	}
	csv := write(t, "a.csv", []byte("amount\n1\n"))
	lines := write(t, "a.jsonl", []byte("{\"amount\":1}\n"))
	for _, c := range []struct {
		file string
		o    Options
		want string
	}{
		{csv, Options{Map: map[string]string{"price": "amount"}}, `mapping columns: "price"="amount"`},
		{csv, Options{Map: map[string]string{"time": "when"}}, `there is no column "when"`},
		{lines, Options{Map: map[string]string{"time": "when"}}, `there is no column "when"`},
		{csv, Options{TimeUnit: "fortnight"}, `"fortnight" is none`},
		{csv, Options{Labels: &Labels{}}, "no id of its event"},
		{"nowhere.csv", Options{}, "no such file"},
	} {
		if _, err := read(t, c.o, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.o, err, c.want)
		}
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals int
		want     int64
	}{
		{"12.34", 2, 1234},
		{"-0.005", 2, -1},
		{"0.004", 2, 0},
		{"7", 0, 7},
		{"7.5", 0, 8},
		{"1.2", 3, 1200},
		{".5", 2, 50},
		{"+3.", 2, 300},
		{"1.5e3", 2, 150000},
		{" 4 ", 2, 400},
	} {
		if got, err := decimal(c.text, c.decimals); err != nil || got != c.want {
			t.Errorf("%q with %d decimals: %d, %v, want %d", c.text, c.decimals, got, err, c.want)
		}
	}
	for _, text := range []string{"", ".", "-", "1,5", "NaN", "1e99", "0x1", "--1", "1e"} {
		if got, err := decimal(text, 2); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestTimes(t *testing.T) {
	const want = 1767607201000000
	c := newConverter(&Options{})
	for _, text := range []string{
		"1767607201", "1767607201000", "1767607201000000", "1767607201000000000", "1767607201.0", "2026-01-05T10:00:01Z",
		"2026-01-05 10:00:01", "2026-01-05 10:00:01+00:00", "2026-01-05 10:00:01.000 UTC", "2026/01/05 10:00:01",
	} {
		if got, _, err := c.time(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "NaN", "1e300", "2026-13-01", "now"} {
		if got, _, err := c.time(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	days := newConverter(&Options{TimeUnit: "d"})
	if got, _, err := days.time("2"); err != nil || got != 172_800_000_000 {
		t.Errorf("2 days: %d, %v", got, err)
	}
	if _, _, err := days.time("9223372036854775807"); err == nil {
		t.Error("too many days are a time")
	}
}

// A payment is forgotten only after half a million others, and an event that
// cannot begin one is an orphan.
func TestPayments(t *testing.T) {
	c := newConverter(&Options{FollowUps: []string{"card_clearing"}})
	parent := func(payment, id, kind string) string {
		r := &realism.Record{ID: id, Type: kind}
		c.parent(payment, r)
		return r.Parent
	}
	if got := parent("p", "e1", "card_authorisation"); got != "" {
		t.Errorf("the first event has the parent %q", got)
	}
	for i := range MaxPayments {
		parent(fmt.Sprint(i), fmt.Sprint("x", i), "")
	}
	if got := parent("p", "e2", "card_clearing"); got != "e1" {
		t.Errorf("the second event has the parent %q", got)
	}
	if got := parent("p", "e1", "card_authorisation"); got != "" {
		t.Errorf("an event that comes twice has the parent %q", got)
	}
	if got := parent("q", "e3", "card_clearing"); got != "payment q" {
		t.Errorf("an orphan has the parent %q", got)
	}
	if got := len(c.now) + len(c.old); got > 2*MaxPayments {
		t.Errorf("%d payments are remembered", got)
	}
}

// A Parquet file with wrong bytes gives an error or other records, and never ends
// the process.
func TestBrokenParquet(t *testing.T) {
	data := parquetOf(t)
	refused := 0
	for i := 0; i < len(data); i += 7 {
		broken := bytes.Clone(data)
		broken[i] ^= 0x80
		_, err := read(t, Options{}, write(t, "b.parquet", broken))
		if err == nil {
			continue
		}
		if refused++; fail.CodeOf(err) != fail.Usage {
			t.Fatalf("byte %d: %v: exit %d", i, err, fail.CodeOf(err))
		}
	}
	if refused == 0 {
		t.Error("no broken file was refused")
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(asCSV))
	f.Add([]byte(asJSON))
	f.Add([]byte("time;amount\n1;2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := New(Options{FollowUps: []string{"x"}})
		if err != nil {
			t.Fatal(err)
		}
		err = r.ReadFrom(t.Context(), "fuzz", bytes.NewReader(data), func(*realism.Record) {})
		if err != nil && fail.CodeOf(err) != fail.Usage {
			t.Errorf("%v: exit %d", err, fail.CodeOf(err))
		}
	})
}
