package encode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// changes are one of each operation, with and without transactions.
func changes() []encode.Change {
	rows := oddEvents()
	return []encode.Change{
		{Op: encode.Read, After: rows[0], At: start, Seen: start + 1_500_001, LSN: 24_023_128},
		{Op: encode.Create, After: rows[2], At: start, Seen: start + 987, LSN: 24_023_129, Last: 24_023_119, Tx: encode.Tx{ID: 555, Order: 1, TableOrder: 1}},
		{Op: encode.Update, Before: rows[3], After: rows[4], At: -1, Seen: 0, LSN: 1, Tx: encode.Tx{ID: 556}},
		{Op: encode.Update, After: rows[5], At: start + 1, Seen: start + 1, LSN: 24_023_131, Tx: encode.Tx{ID: 557, Order: 12, TableOrder: 3}},
		{Op: encode.Delete, Before: rows[6], At: start, Seen: start, LSN: 1<<63 - 1, Last: 7, Tx: encode.Tx{ID: 1<<63 - 1, Order: 1, TableOrder: 1}},
	}
}

func changeCodecs(tb testing.TB) (*encode.ChangeEncoder, *encode.ChangeDecoder) {
	tb.Helper()
	e, err := encode.NewChangeEncoder(oddSchema(), encode.Source{Name: "core", Table: "odd \"rows\""})
	if err != nil {
		tb.Fatal(err)
	}
	d, err := encode.NewChangeDecoder(oddSchema())
	if err != nil {
		tb.Fatal(err)
	}
	return e, d
}

func TestDebeziumGolden(t *testing.T) {
	e, _ := changeCodecs(t)
	var got []byte
	var err error
	for _, c := range changes() {
		got = append(e.AppendKey(got, &c), '\n')
		if got, err = e.Append(got, &c); err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
	}
	b := encode.Boundary{ID: 555, LSN: 24_023_120, At: start}
	got = append(b.AppendBegin(got), '\n')
	got = append(b.AppendEnd(got, []encode.TableCount{{e.Table(), 2}, {"public.accounts", 1}}), '\n')
	const file = "testdata/odd.debezium.golden"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the bytes changed; raise generators.AlgoVersion if that is meant (-want +got):\n%s", diff)
	}
}

// envelope is what a consumer of Debezium declares.
type envelope struct {
	Before, After json.RawMessage
	Source        struct {
		Version, Connector, Name, Snapshot, DB, Sequence, Schema, Table string
		Millis                                                          int64 `json:"ts_ms"`
		Micros                                                          int64 `json:"ts_us"`
		Nanos                                                           int64 `json:"ts_ns"`
		TxID                                                            *uint64
		LSN                                                             uint64
		Xmin                                                            *int64
	}
	Transaction *struct {
		ID    string
		Total uint64 `json:"total_order"`
		Table uint64 `json:"data_collection_order"`
	}
	Op     string
	Millis int64 `json:"ts_ms"`
	Micros int64 `json:"ts_us"`
	Nanos  int64 `json:"ts_ns"`
}

// encoding/json reads what we write into the struct that a consumer declares,
// nothing is left over, and the rows are what the JSON encoder writes.
func TestDebeziumAgainstStandardLibrary(t *testing.T) {
	e, _ := changeCodecs(t)
	rows, rowDecoder := codecs(t, encode.JSON, oddSchema())
	row := func(ev *generators.Event) string {
		if ev == nil {
			return "null"
		}
		return string(rows.Append(nil, ev))
	}
	for _, c := range changes() {
		value, err := e.Append(nil, &c)
		if err != nil {
			t.Fatal(err)
		}
		var got envelope
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%v: %s", err, value)
		}
		if string(got.Before) != row(c.Before) || string(got.After) != row(c.After) {
			t.Errorf("rows are %s and %s", got.Before, got.After)
		}
		if c.After != nil && !rowDecoder.Intact(got.After) {
			t.Error("the row after is not intact on its own")
		}
		src := got.Source
		snapshot := fmt.Sprint(c.Op == encode.Read)
		if src.Connector != "postgresql" || src.Name != "core" || src.Table != "odd \"rows\"" || src.DB != "bank" || src.Snapshot != snapshot ||
			src.Xmin != nil || src.LSN != c.LSN || (src.TxID == nil) != (c.Tx.ID == 0) || src.TxID != nil && *src.TxID != c.Tx.ID {
			t.Errorf("source is %+v", src)
		}
		var sequence []*string
		if err := json.Unmarshal([]byte(src.Sequence), &sequence); err != nil || len(sequence) != 2 || (sequence[0] == nil) != (c.Last == 0) || *sequence[1] != fmt.Sprint(c.LSN) {
			t.Errorf("sequence is %s: %v", src.Sequence, err)
		}
		if src.Micros != c.At || got.Micros != c.Seen || src.Nanos != c.At*1000 || got.Nanos != c.Seen*1000 || src.Millis != time.UnixMicro(c.At).UnixMilli() || got.Millis != time.UnixMicro(c.Seen).UnixMilli() {
			t.Errorf("times are %+v", got)
		}
		if tx := got.Transaction; (tx == nil) != (c.Tx.Order == 0) || tx != nil && (tx.ID != fmt.Sprintf("%d:%d", c.Tx.ID, c.LSN) || tx.Total != c.Tx.Order || tx.Table != c.Tx.TableOrder) {
			t.Errorf("transaction is %+v", tx)
		}
		if got.Op != string(rune(c.Op)) {
			t.Errorf("op is %s", got.Op)
		}
		var key map[string]string
		if err := json.Unmarshal(e.AppendKey(nil, &c), &key); err != nil || len(key) != 1 || key["event_id"] == "" {
			t.Errorf("key is %v, %v", key, err)
		}
	}
}

func TestDebeziumRoundTrip(t *testing.T) {
	e, d := changeCodecs(t)
	var got encode.Change
	for _, c := range changes() {
		value, err := e.Append(nil, &c)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(&got, value); err != nil {
			t.Fatalf("%v: %s", err, value)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", value, diff)
		}
		if !d.Intact(value) {
			t.Errorf("not intact: %s", value)
		}
		for _, at := range []int{bytes.Index(value, []byte(`"plain":"plain`)) + 10, bytes.Index(value, []byte(`"checksum":`)) + 11} {
			bad := bytes.Clone(value)
			bad[at] ^= 1
			if d.Intact(bad) {
				t.Errorf("byte %d changed: still intact: %s", at, bad)
			}
		}
		for n := range value {
			if d.Intact(value[:n]) || d.Decode(&got, value[:n]) == nil {
				t.Errorf("cut to %d bytes: taken", n)
			}
		}
	}
	if err := d.Decode(&got, encode.Tombstone()); !errors.Is(err, encode.ErrTombstone) {
		t.Errorf("a tombstone: %v", err)
	}
	if err := d.Decode(&got, []byte{}); err == nil || errors.Is(err, encode.ErrTombstone) {
		t.Errorf("an empty value is no tombstone: %v", err)
	}
}

func TestDebeziumRefuses(t *testing.T) {
	e, d := changeCodecs(t)
	row := oddEvents()[0]
	for name, c := range map[string]encode.Change{
		"create without a row":      {Op: encode.Create},
		"create with a row before":  {Op: encode.Create, Before: row, After: row},
		"read with a row before":    {Op: encode.Read, Before: row, After: row},
		"update without a row":      {Op: encode.Update, Before: row},
		"delete without a row":      {Op: encode.Delete},
		"delete with a row after":   {Op: encode.Delete, Before: row, After: row},
		"truncate":                  {Op: 't'},
		"nothing":                   {After: row},
		"transaction without an id": {Op: encode.Create, After: row, Tx: encode.Tx{Order: 1, TableOrder: 1}},
		"transaction half ordered":  {Op: encode.Create, After: row, Tx: encode.Tx{ID: 1, Order: 1}},
	} {
		if got, err := e.Append([]byte("x"), &c); err == nil || string(got) != "x" {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
	for _, key := range []string{"no_such", "text_or_null"} {
		_, err := encode.NewChangeEncoder(oddSchema(), encode.Source{Key: []string{key}})
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("key %s: %v", key, err)
		}
	}
	create := changes()[1]
	value, err := e.Append(nil, &create)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, text, want string }{
		{`{"before"`, `["before"`, "want an object"},
		{`"before":null`, `"before":1`, "want an object"},
		{`"before":null`, `"befor":null`, `member "before" is missing`},
		{`"op":"c"`, `"op":"d"`, "has a row before it"},
		{`"op":"c"`, `"op":"create"`, "an operation of one letter"},
		{`"op":"c"`, `"op":"c","op":"c"`, `"op" is there twice`},
		{`,"lsn":24023129`, ``, `member "lsn" is missing`},
		{`"lsn":24023129`, `"lsn":-1`, "want an integer from 0"},
		{`"txId":555`, `"txId":"555"`, "want an integer"},
		{`[\"24023119\"`, `[24023119`, "a sequence of two log positions"},
		{`[\"24023119\",`, `[`, "a sequence of two log positions"},
		{`"total_order":1`, `"total_order":null`, "want an integer"},
		{`"total_order":1`, `"total_order":0`, "both orders, or none"},
		{`"ts_us":1767225600000987`, `"ts_us":1.5`, "want an integer"},
		{`"count":-1`, `"count":"-1"`, `field "count": want an integer`},
	} {
		bad := strings.Replace(string(value), c.old, c.text, 1)
		if bad == string(value) {
			t.Fatalf("%s is not in %s", c.old, value)
		}
		if err := d.Decode(new(encode.Change), []byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: got %v, want %q", c.text, c.old, err, c.want)
		}
	}
}

// A key of several fields, of every kind.
func TestDebeziumKey(t *testing.T) {
	e, err := encode.NewChangeEncoder(oddSchema(), encode.Source{Key: []string{"text", "count", "flag", "at", "event_id"}})
	if err != nil {
		t.Fatal(err)
	}
	row := oddEvents()[2]
	var got map[string]any
	key := e.AppendKey(nil, &encode.Change{Op: encode.Delete, Before: row})
	if err := json.Unmarshal(key, &got); err != nil {
		t.Fatalf("%v: %s", err, key)
	}
	want := map[string]any{
		"text": row.Values[1].Str, "count": float64(row.Values[4].Int), "flag": row.Values[8].Int == 1,
		"at": "2025-12-31T23:59:59.999Z", "event_id": row.ID.String(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", key, diff)
	}
}

func TestDebeziumAllocatesNothing(t *testing.T) {
	e, _ := changeCodecs(t)
	all, out := changes(), make([]byte, 0, 8192)
	n := testing.AllocsPerRun(500, func() {
		for i := range all {
			var err error
			if out, err = e.Append(e.AppendKey(out[:0], &all[i]), &all[i]); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Decode takes no envelope that encoding/json refuses, and what it takes it
// writes again.
func FuzzDecodeDebezium(f *testing.F) {
	e, d := changeCodecs(f)
	for _, c := range changes() {
		value, err := e.Append(nil, &c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		d.Intact(value)
		var c, again encode.Change
		if d.Decode(&c, value) != nil {
			return
		}
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal(value, &members); err != nil {
			t.Fatalf("took what encoding/json refuses: %v: %q", err, value)
		}
		out, err := e.Append(nil, &c)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(&again, out); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if again.Op != c.Op || again.LSN != c.LSN || again.Last != c.Last || again.Tx != c.Tx || again.At != c.At || again.Seen != c.Seen ||
			(again.Before == nil) != (c.Before == nil) || (again.After == nil) != (c.After == nil) {
			t.Fatalf("%+v is read again as %+v", c, again)
		}
	})
}
