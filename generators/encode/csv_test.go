package encode_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
)

func readCSV(tb testing.TB, text string) [][]string {
	tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		tb.Fatalf("%v: %q", err, text)
	}
	return rows
}

// encoding/csv reads a file of a header and our records, and finds our values.
func TestCSVAgainstStandardLibrary(t *testing.T) {
	for _, s := range append(samples(t), randomSamples()...) {
		e, _ := codecs(t, encode.CSV, s.schema)
		file := encode.CSVHeader(s.schema) + encode.LineBreak(encode.CSV)
		for _, ev := range s.events {
			file += string(e.Append(nil, ev)) + encode.LineBreak(encode.CSV)
		}
		rows := readCSV(t, file)
		if len(rows) != len(s.events)+1 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, f := range s.schema.Fields {
			if rows[0][i] != f.Name {
				t.Errorf("column %d is %s", i, rows[0][i])
			}
			for n, ev := range s.events {
				want := ""
				switch x := plainValue(ev, f.Kind, ev.Values[i], func(n int64) any { return n }).(type) {
				case nil:
				case time.Time:
					want = x.Format("2006-01-02T15:04:05.000Z")
				default:
					want = fmt.Sprint(x)
				}
				if got := rows[n+1][i]; got != want {
					t.Fatalf("row %d, %s is %q, want %q", n, f.Name, got, want)
				}
			}
		}
	}
}

// Null and the empty string stay apart, and quotes stand only where they must.
func TestCSVQuotes(t *testing.T) {
	e, d := codecs(t, encode.CSV, smallSchema())
	for text, want := range map[string]string{
		"": `""`, "a": "a", `a"b`: `"a""b"`, `"`: `""""`, "a,b": `"a,b"`, "a\nb": "\"a\nb\"", "a\rb": "\"a\rb\"",
		" a": `" a"`, "a ": `"a "`, "a b": "a b", `\.`: `"\."`, `\`: `\`, "ä": "ä", "\t": "\"\t\"", "\x7f": "\x7f",
		strings.Repeat("long ", 5) + ",": `"long long long long long ,"`, strings.Repeat("longer", 3): "longerlongerlonger",
	} {
		ev, got := generators.NewEvent(smallSchema()), new(generators.Event)
		ev.Values[1].Str, ev.Values[3].Null = text, true
		record := string(e.Append(nil, ev))
		if !strings.HasPrefix(record[generators.IDTextLen+1:], want+",0,,false,") {
			t.Errorf("%q is written in %s, want %s", text, record, want)
		}
		if err := d.Decode(got, []byte(record)); err != nil || got.Values[1].Str != text || got.Values[1].Null {
			t.Errorf("%q is read as %+v, %v", text, got.Values[1], err)
		}
	}
}

func TestDecodeCSVRefuses(t *testing.T) {
	_, d := codecs(t, encode.CSV, smallSchema())
	const id = "0123abcd-4567-89ef-8765-fedcba987654"
	for _, c := range []struct{ text, want string }{
		{"", `field "event_id": want a value`},
		{id, "want 7 fields, not 1"},
		{id + ",,,,,", "want 7 fields, not 6"},
		{id + ",,,,,,", `field "checksum": want a value`},
		{id + ",,,,,,1,", "want nothing after the last field"},
		{id + ",,,,,,1\r\n", "want quotes around a text with quotes or line breaks"},
		{id + ",,,,,,\"1\"\r\n", "want a comma after the quote"},
		{id + ",,,,,, 1", "want an integer"},
		{id + ",,,,,,-1", "want an integer from 0"},
		{id + ",,,,,,01", "want an integer"},
		{id + `,"a,,,,,1`, "want the quote at the end"},
		{id + `,"a""b,,,,,1`, "want the quote at the end"},
		{id + `,"a"b,,,,,1`, "want a comma after the quote"},
		{id + `,"a""b"c,,,,,1`, "want a comma after the quote"},
		{id + `,a"b,,,,,1`, "want quotes around"},
		{id + ",a\nb,,,,,1", "want quotes around"},
		{id + ",\xff,,,,,1", "not UTF-8"},
		{id + `,,"",,,,1`, "want an integer"},
		{id + ",,2147483648,,,,1", "want an integer from -2147483648 to 2147483647"},
		{id + ",,1.0,,,,1", "want an integer"},
		{id + ",,,9223372036854775808,,,1", "want an integer of 64 bits"},
		{id + ",,,,TRUE,,1", "want true or false"},
		{id + ",,,,1,,1", "want true or false"},
		{id + ",,,,,2026-01-01,1", "want a time like"},
		{id[1:] + ",,,,,,1", "want a UUID"},
	} {
		if err := d.Decode(new(generators.Event), []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
	var got generators.Event
	if err := d.Decode(&got, []byte(`"`+id+`","x","7","8","true","2026-01-01T00:00:00Z","1"`)); err != nil || got.Values[2].Int != 7 {
		t.Errorf("everything in quotes: %v, %+v", err, got)
	}
}

// Decode takes no record that encoding/csv refuses, and finds the same texts.
func FuzzDecodeCSV(f *testing.F) {
	s := oddSchema()
	e, d := codecs(f, encode.CSV, s)
	for _, ev := range oddEvents()[:20] {
		f.Add(e.Append(nil, ev))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		intact := d.Intact(value)
		var ev, again generators.Event
		if d.Decode(&ev, value) != nil {
			return
		}
		rows := readCSV(t, string(value))
		if len(rows) != 1 || len(rows[0]) != len(s.Fields) {
			t.Fatalf("%d rows: %q", len(rows), value)
		}
		for i, f := range s.Fields {
			// encoding/csv turns \r\n inside quotes into \n.
			if want := strings.ReplaceAll(ev.Values[i].Str, "\r\n", "\n"); f.Kind == generators.String && rows[0][i] != want {
				t.Fatalf("%s is %q, encoding/csv says %q", f.Name, want, rows[0][i])
			}
			if f.Kind == generators.Timestamp { // kept to the microsecond, encoded to the millisecond
				ev.Values[i].Int -= (ev.Values[i].Int%1000 + 1000) % 1000
			}
		}
		bytes := e.Append(nil, &ev)
		if err := d.Decode(&again, bytes); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ev, again); diff != "" {
			t.Fatalf("(-first +again):\n%s", diff)
		}
		if string(bytes) == string(value) && !intact {
			t.Fatalf("not intact: %q", value)
		}
	})
}
