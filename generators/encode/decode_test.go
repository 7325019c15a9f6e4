package encode_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
)

const id = `"event_id":"0123abcd-4567-89ef-8765-fedcba987654"`

// smallSchema keeps the tables below readable.
func smallSchema() *generators.Schema {
	return &generators.Schema{Name: "Small", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID},
		{Name: "s", Kind: generators.String, Nullable: true},
		{Name: "i", Kind: generators.Int, Nullable: true},
		{Name: "l", Kind: generators.Long, Nullable: true},
		{Name: "b", Kind: generators.Bool, Nullable: true},
		{Name: "t", Kind: generators.Timestamp, Nullable: true},
		{Name: "checksum", Kind: generators.Checksum},
	}}
}

func TestDecodeJSON(t *testing.T) {
	_, d := codecs(t, encode.JSON, smallSchema())
	null := generators.Value{Null: true}
	str := func(s string) generators.Value { return generators.Value{Str: s} }
	num := func(n int64) generators.Value { return generators.Value{Int: n} }
	for _, c := range []struct {
		text          string
		s, i, l, b, t generators.Value
	}{
		{`{` + id + `,"checksum":1}`, null, null, null, null, null},
		{`{"checksum":1,"b":true,"i":-2147483648,` + id + `,"s":""}`, str(""), num(-1 << 31), null, num(1), null},
		{" {\t" + id + " ,\n\"s\" : \"a\\u00fc\\\"\\n\\ud83c\\udfe6\\ud800x\\/\" ,\r\"checksum\":1 } ", str("aü\"\n\U0001f3e6\ufffdx/"), null, null, null, null},
		{`{"x":{"y":[1,-2.5e+3,{"s":null},"]}"],"z":{}},` + id + `,"more":[],"checksum":1,"end":false}`, null, null, null, null, null},
		{`{` + id + `,"\u0073":"escaped name","l":-9223372036854775808,"checksum":1}`, str("escaped name"), null, num(-1 << 63), null, null},
		{`{` + id + `,"t":"1970-01-01T00:00:00.001Z","checksum":1}`, null, null, null, null, num(1000)},
		{`{` + id + `,"t":"1970-01-01T01:00:00.123456789+01:00","checksum":1}`, null, null, null, null, num(123_456)},
		{`{` + id + `,"t":"2024-02-29T00:00:00Z","i":null,"checksum":1}`, null, null, null, null, num(1_709_164_800_000_000)},
	} {
		var got generators.Event
		if err := d.Decode(&got, []byte(c.text)); err != nil {
			t.Errorf("%v: %s", err, c.text)
			continue
		}
		want := []generators.Value{{}, c.s, c.i, c.l, c.b, c.t, num(1)}
		if diff := cmp.Diff(want, got.Values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	_, d := codecs(t, encode.JSON, smallSchema())
	with := func(member string) string { return `{` + id + `,` + member + `,"checksum":1}` }
	for _, c := range []struct{ text, want string }{
		{``, "want an object"},
		{`[]`, "want an object"},
		{`{}`, `field "event_id" is missing`},
		{`{` + id + `}`, `field "checksum" is missing`},
		{`{` + id + `,"checksum":1`, "want a comma or the end"},
		{`{` + id + `,"checksum":1,}`, "want a string"},
		{`{` + id + `,"checksum":1}}`, "want nothing after the object"},
		{`{` + id + `,"checksum":1}{}`, "want nothing after the object"},
		{`{` + id + ` "checksum":1}`, "want a comma or the end"},
		{`{` + id + `,"checksum" 1}`, "want a colon"},
		{`{"event_id":null,"checksum":1}`, `field "event_id": want a string`},
		{`{"event_id":"0123abcd","checksum":1}`, "want a UUID"},
		{`{` + id + `,"checksum":null}`, `field "checksum": want an integer`},
		{`{` + id + `,"checksum":-1}`, "want an integer from 0 to 4294967295"},
		{`{` + id + `,"checksum":4294967296}`, "want an integer from 0 to 4294967295"},
		{with(`"s":1`), `field "s": want a string`},
		{with(`"s":"a`), "want a comma or the end of the object"},
		{with(`"s":"\x"`), "want a known escape"},
		{with(`"s":"\u12g4"`), "want four hexadecimal digits"},
		{with("\"s\":\"\n\""), "want control characters escaped"},
		{with("\"s\":\"\\n\x01\""), "want control characters escaped"},
		{with("\"s\":\"\xff\""), "not UTF-8"},
		{with(`"s":"a","s":"a"`), `field "s" is there twice`},
		{with(`"i":"1"`), "want an integer"},
		{with(`"i":1.0`), "want an integer"},
		{with(`"i":1e3`), "want an integer"},
		{with(`"i":01`), "want an integer"},
		{with(`"i":-`), "want an integer"},
		{with(`"i":2147483648`), "want an integer from -2147483648 to 2147483647"},
		{with(`"l":9223372036854775808`), "want an integer of 64 bits"},
		{with(`"l":-9223372036854775809`), "want an integer of 64 bits"},
		{with(`"l":100000000000000000000000`), "want an integer of 64 bits"},
		{with(`"b":1`), "want true or false"},
		{with(`"b":"true"`), "want true or false"},
		{with(`"t":0`), "want a string"},
		{with(`"t":"2025-02-29T00:00:00.000Z"`), "want a time like"},
		{with(`"t":"2025-01-01 00:00:00.000Z"`), "want a time like"},
		{with(`"t":"2025-01-01T24:00:00.000Z"`), "want a time like"},
		{with(`"t":"2025-01-01T00:00:00.000"`), "want a time like"},
		{with(`"x":nul`), "want a value"},
		{with(`"x":[1,]`), "want a value"},
		{with(`"x":[1 2]`), "want a comma"},
		{with(`"x":{"y"}`), "want a colon"},
		{with(`"x":1.`), "want digits after the point"},
		{with(`"x":1e`), "want digits in the exponent"},
		{with(`"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200)), "want at most 100 levels"},
	} {
		err := d.Decode(new(generators.Event), []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestDecodeAvroRefuses(t *testing.T) {
	e, d := codecs(t, encode.Avro, smallSchema())
	ev := generators.NewEvent(smallSchema())
	ev.Values[2].Int = 1 << 31 // too large for an int
	if err := d.Decode(new(generators.Event), e.Append(nil, ev)); err == nil || !strings.Contains(err.Error(), `field "i"`) {
		t.Errorf("an int of 2^31: %v", err)
	}
	ev.Values[2].Int = 5
	good := e.Append(nil, ev)
	for n := range good {
		if d.Decode(new(generators.Event), good[:n]) == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
	if err := d.Decode(new(generators.Event), append(good, 0)); err == nil || !strings.Contains(err.Error(), "nothing after the record") {
		t.Errorf("a byte added: %v", err)
	}
	for name, c := range map[string]struct {
		at   int
		with byte
		want string
	}{
		"length":  {0, 0x01, "within the record"},
		"long":    {0, 0xff, "want"},
		"uuid":    {1, 'x', "want a UUID"},
		"branch":  {37, 4, "from 0 to 1"},
		"boolean": {44, 2, "want a boolean"},
	} {
		bad := append([]byte(nil), good...)
		bad[c.at] = c.with
		if err := d.Decode(new(generators.Event), bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, framed := codecs(t, encode.AvroRegistry, smallSchema())
	for _, bad := range [][]byte{nil, {0, 0, 0, 0}, good} {
		if err := framed.Decode(new(generators.Event), bad); err == nil || !strings.Contains(err.Error(), "frame") {
			t.Errorf("without a frame: %v", err)
		}
	}
}

// Decode takes no JSON that encoding/json refuses, and finds the same values.
func FuzzDecodeJSON(f *testing.F) {
	for _, ev := range oddEvents()[:20] {
		e, _ := codecs(f, encode.JSON, oddSchema())
		f.Add(e.Append(nil, ev))
	}
	f.Add([]byte(`{"x":[{"y":1.5e-3}],` + id + `,"text":"\ud83c\udfe6","checksum":1}`))
	s := oddSchema()
	e, d := codecs(f, encode.JSON, s)
	f.Fuzz(func(t *testing.T, value []byte) {
		d.Intact(value)
		var ev, again generators.Event
		if d.Decode(&ev, value) != nil {
			return
		}
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal(value, &members); err != nil {
			t.Fatalf("took what encoding/json refuses: %v: %q", err, value)
		}
		var text string
		if err := json.Unmarshal(members["text"], &text); err != nil || text != ev.Values[1].Str {
			t.Fatalf("text is %q, encoding/json says %q, %v", ev.Values[1].Str, text, err)
		}
		for i := range ev.Values { // times are kept to the microsecond, encoded to the millisecond
			if s.Fields[i].Kind == generators.Timestamp {
				ev.Values[i].Int -= (ev.Values[i].Int%1000 + 1000) % 1000
			}
		}
		if err := d.Decode(&again, e.Append(nil, &ev)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ev, again); diff != "" {
			t.Fatalf("(-first +again):\n%s", diff)
		}
	})
}

func FuzzDecodeAvro(f *testing.F) {
	e, d := codecs(f, encode.Avro, oddSchema())
	for _, ev := range oddEvents()[:20] {
		f.Add(e.Append(nil, ev))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		intact := d.Intact(value)
		var ev, again generators.Event
		if d.Decode(&ev, value) != nil {
			return
		}
		sum := ev.Values[len(ev.Values)-1].Int
		bytes := e.Append(nil, &ev)
		if err := d.Decode(&again, bytes); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ev, again); diff != "" {
			t.Fatalf("(-first +again):\n%s", diff)
		}
		if string(bytes) == string(value) && !intact || intact && sum < 0 {
			t.Fatalf("intact is %t: %x", intact, value)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, format := range encode.Formats() {
		b.Run(format, func(b *testing.B) {
			r := newRecord(b, "payments", format, 42)
			_, d := codecs(b, format, r.stream.Schema())
			r.make(1)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := d.Decode(r.event, r.bytes); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
