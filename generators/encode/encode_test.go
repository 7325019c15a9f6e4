package encode_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hamba/avro/v2"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/fail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// oddSchema has every kind with and without null; its strings need escapes.
func oddSchema() *generators.Schema {
	return &generators.Schema{Name: "Odd", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID},
		{Name: "text", Kind: generators.String},
		{Name: "text_or_null", Kind: generators.String, Nullable: true},
		{Name: "plain", Kind: generators.String, Plain: true},
		{Name: "count", Kind: generators.Int},
		{Name: "count_or_null", Kind: generators.Int, Nullable: true},
		{Name: "amount", Kind: generators.Long},
		{Name: "amount_or_null", Kind: generators.Long, Nullable: true},
		{Name: "flag", Kind: generators.Bool},
		{Name: "flag_or_null", Kind: generators.Bool, Nullable: true},
		{Name: "at", Kind: generators.Timestamp},
		{Name: "at_or_null", Kind: generators.Timestamp, Nullable: true},
		{Name: "checksum", Kind: generators.Checksum},
	}}
}

// oddEvents are events at the edges of every kind.
func oddEvents() []*generators.Event {
	texts := []string{"", "a", `"\/` + "\b\f\n\r\t\x00\x1f\x7f", "Zürich \u2028 日本 \U0001f3e6", strings.Repeat("x", 300), "\ufffd"}
	ints := []int64{0, 1, -1, 9, 10, 99, 100, math.MaxInt32, math.MinInt32}
	longs := []int64{0, 63, 64, -64, -65, 99_999_999, 100_000_000, 1e15, math.MaxInt64, math.MinInt64}
	times := []int64{0, -1000, 1_767_225_599_999_000, 951_782_400_000_000, -62_167_219_200_000_000, 253_402_300_799_999_000}
	key, s := generators.NewKey(3), oddSchema()
	var events []*generators.Event
	for i := range 60 {
		ev := generators.NewEvent(s)
		ev.ID = key.Seal(0, uint64(i))
		for f := range s.Fields[1 : len(s.Fields)-1] {
			v, kind := &ev.Values[f+1], s.Fields[f+1].Kind
			if s.Fields[f+1].Nullable && (i+f)%3 == 0 {
				v.Null = true
				continue
			}
			switch kind {
			case generators.String:
				if v.Str = texts[i%len(texts)]; s.Fields[f+1].Plain {
					v.Str = "plain"
				}
			case generators.Int:
				v.Int = ints[i%len(ints)]
			case generators.Long:
				v.Int = longs[i%len(longs)]
			case generators.Bool:
				v.Int = int64(i / 2 % 2)
			case generators.Timestamp:
				v.Int = times[i%len(times)]
			}
		}
		events = append(events, ev)
	}
	return events
}

// sample is a schema with events of it.
type sample struct {
	name   string
	schema *generators.Schema
	events []*generators.Event
}

func samples(tb testing.TB) []sample {
	all := []sample{{"odd", oddSchema(), oddEvents()}}
	for _, kind := range fintech.All() {
		r := newRecord(tb, kind.Name, encode.JSON, 42)
		s := sample{kind.Name, r.stream.Schema(), nil}
		for seq := range uint64(300) {
			r.event = generators.NewEvent(s.schema)
			r.make(seq)
			s.events = append(s.events, r.event)
		}
		all = append(all, s)
	}
	return all
}

// randomSamples are schemas that nobody would write: up to 250 fields with long
// and short names, of any kind, with values of any size.
func randomSamples() []sample {
	var all []sample
	for n := range uint64(12) {
		draw, next := generators.Seed(7).Rand("encode.schemas").Entity(n), uint64(0)
		below := func(limit uint64) int {
			next++
			return int(generators.Below(draw.At(next), limit))
		}
		s := &generators.Schema{Name: "Random", Fields: []generators.Field{{Name: "id", Kind: generators.UUID}}}
		for i := range 1 + below([]uint64{6, 40, 250}[n%3]) {
			s.Fields = append(s.Fields, generators.Field{
				Name: fmt.Sprintf("f%s%d", strings.Repeat("x", below(2)*below(60)), i), Kind: generators.Kind(1 + below(5)), Nullable: below(2) == 0,
			})
		}
		s.Fields = append(s.Fields, generators.Field{Name: "sum", Kind: generators.Checksum})
		key := generators.NewKey(n)
		out := sample{fmt.Sprintf("random-%d", n), s, nil}
		for range 20 {
			ev := generators.NewEvent(s)
			ev.ID = key.Seal(3, uint64(below(1<<40)))
			for i, f := range s.Fields[1 : len(s.Fields)-1] {
				ev.Values[i+1] = randomValue(f, below)
			}
			out.events = append(out.events, ev)
		}
		all = append(all, out)
	}
	return all
}

func randomValue(f generators.Field, below func(uint64) int) generators.Value {
	if f.Nullable && below(3) == 0 {
		return generators.Value{Null: true}
	}
	switch f.Kind {
	case generators.String:
		alphabet := []rune("abcdefgh, ;\"'\\/\n\t.0üß日🏦")
		text := make([]rune, below([]uint64{4, 12, 300}[below(3)]))
		for i := range text {
			text[i] = alphabet[below(uint64(len(alphabet)))]
		}
		return generators.Value{Str: string(text)}
	case generators.Bool:
		return generators.Value{Int: int64(below(2))}
	case generators.Int:
		return generators.Value{Int: int64(int32(below(1<<32)-1<<31) >> below(32))}
	case generators.Timestamp: // years 1 to 9999
		return generators.Value{Int: int64(below(315_537_897_599_999)-62_135_596_800_000) * 1000}
	default:
		return generators.Value{Int: int64(below(1<<63)-1<<62) << 1 >> below(64)}
	}
}

func codecs(tb testing.TB, format string, s *generators.Schema) (encode.Encoder, encode.Decoder) {
	tb.Helper()
	e, err := encode.New(format, s, encode.Options{SchemaID: 0x01020304})
	if err != nil {
		tb.Fatal(err)
	}
	d, err := encode.NewDecoder(format, s)
	if err != nil {
		tb.Fatal(err)
	}
	if e.Format() != format || d.Format() != format {
		tb.Fatalf("formats are %s and %s, want %s", e.Format(), d.Format(), format)
	}
	return e, d
}

func each(t *testing.T, test func(t *testing.T, s sample, e encode.Encoder, d encode.Decoder)) {
	for _, s := range append(samples(t), randomSamples()...) {
		for _, format := range encode.Formats() {
			t.Run(s.name+"/"+format, func(t *testing.T) {
				e, d := codecs(t, format, s.schema)
				test(t, s, e, d)
			})
		}
	}
}

func TestGoldenBytes(t *testing.T) {
	each(t, func(t *testing.T, s sample, e encode.Encoder, _ encode.Decoder) {
		if strings.HasPrefix(s.name, "random") {
			return
		}
		var got bytes.Buffer
		for _, ev := range s.events[:20] {
			value := e.Append(nil, ev)
			switch e.Format() {
			case encode.JSON:
				fmt.Fprintf(&got, "%s\n", value)
			case encode.CSV:
				fmt.Fprintf(&got, "%q\n", value)
			default:
				fmt.Fprintf(&got, "%x\n", value)
			}
		}
		file := filepath.Join("testdata", s.name+"."+e.Format()+".golden")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("the bytes changed; raise generators.AlgoVersion if that is meant (-want +got):\n%s", diff)
		}
	})
}

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, s sample, e encode.Encoder, d encode.Decoder) {
		got := new(generators.Event)
		for _, ev := range s.events {
			value := e.Append(nil, ev)
			if err := d.Decode(got, value); err != nil {
				t.Fatalf("%v: %q", err, value)
			}
			if diff := cmp.Diff(ev, got); diff != "" {
				t.Fatalf("%q (-want +got):\n%s", value, diff)
			}
			if !d.Intact(value) {
				t.Fatalf("not intact: %q", value)
			}
		}
	})
}

// Any one changed bit, a lost and an added byte are noticed by the checksum.
func TestIntactNoticesDamage(t *testing.T) {
	each(t, func(t *testing.T, s sample, e encode.Encoder, d encode.Decoder) {
		if strings.HasPrefix(s.name, "random") {
			return
		}
		value := e.Append(nil, s.events[7])
		at := 0
		if e.Format() == encode.AvroRegistry || e.Format() == encode.ProtobufRegistry {
			at = 5 // the frame is not part of the record
		}
		for ; at < len(value); at++ {
			for bit := range 8 {
				value[at] ^= 1 << bit
				if d.Intact(value) {
					t.Errorf("bit %d of byte %d changed: still intact", bit, at)
				}
				value[at] ^= 1 << bit
			}
		}
		for n := range value {
			if d.Intact(value[:n]) {
				t.Errorf("cut to %d bytes: still intact", n)
			}
		}
		if d.Intact(append(value, 0)) || d.Intact(append(value, ' ')) {
			t.Error("a byte added: still intact")
		}
	})
}

// encoding/json reads what we write, and finds our values.
func TestJSONAgainstStandardLibrary(t *testing.T) {
	for _, s := range append(samples(t), randomSamples()...) {
		e, _ := codecs(t, encode.JSON, s.schema)
		for _, ev := range s.events {
			value := e.Append(nil, ev)
			decoder := json.NewDecoder(bytes.NewReader(value))
			decoder.UseNumber()
			got := map[string]any{}
			if err := decoder.Decode(&got); err != nil {
				t.Fatalf("%v: %s", err, value)
			}
			want := map[string]any{}
			for i, f := range s.schema.Fields {
				want[f.Name] = plainValue(ev, f.Kind, ev.Values[i], func(n int64) any { return json.Number(fmt.Sprint(n)) })
				if at, ok := want[f.Name].(time.Time); ok {
					want[f.Name] = at.Format("2006-01-02T15:04:05.000Z")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", value, diff)
			}
		}
	}
}

// plainValue is the Go value that an ordinary library gives for a field.
func plainValue(ev *generators.Event, kind generators.Kind, v generators.Value, number func(int64) any) any {
	if v.Null {
		return nil
	}
	switch kind {
	case generators.UUID:
		return ev.ID.String()
	case generators.String:
		return v.Str
	case generators.Bool:
		return v.Int == 1
	case generators.Timestamp:
		return time.UnixMicro(v.Int).UTC()
	default:
		return number(v.Int)
	}
}

// hamba/avro reads what we write by the schema we publish, and writes the same
// bytes itself.
func TestAvroAgainstHamba(t *testing.T) {
	for _, s := range append(samples(t), randomSamples()...) {
		schema, err := avro.Parse(encode.AvroSchema(s.schema))
		if err != nil {
			t.Fatal(err)
		}
		e, _ := codecs(t, encode.Avro, s.schema)
		framed, _ := codecs(t, encode.AvroRegistry, s.schema)
		for _, ev := range s.events {
			value := e.Append(nil, ev)
			if with := framed.Append(nil, ev); !bytes.Equal(with, append([]byte{0, 1, 2, 3, 4}, value...)) {
				t.Fatalf("framed: %x, want %x after the frame", with, value)
			}
			got := map[string]any{}
			if err := avro.Unmarshal(schema, value, &got); err != nil {
				t.Fatalf("%v: %x", err, value)
			}
			want := map[string]any{}
			for i, f := range s.schema.Fields {
				v := ev.Values[i]
				want[f.Name] = plainValue(ev, f.Kind, v, func(n int64) any {
					if f.Kind == generators.Int {
						return int(n)
					}
					return n
				})
			}
			for name, x := range got { // a union arrives as a map of its branch
				if union, ok := x.(map[string]any); ok {
					for _, inner := range union {
						got[name] = inner
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%x (-want +got):\n%s", value, diff)
			}
			again, err := avro.Marshal(schema, wrapUnions(s.schema, want))
			if err != nil || !bytes.Equal(again, value) {
				t.Fatalf("hamba writes %x, %v, want %x", again, err, value)
			}
		}
	}
}

func wrapUnions(s *generators.Schema, row map[string]any) map[string]any {
	branch := map[generators.Kind]string{
		generators.String: "string", generators.Int: "int", generators.Long: "long",
		generators.Bool: "boolean", generators.Timestamp: "long.timestamp-millis",
	}
	for _, f := range s.Fields {
		if f.Nullable && row[f.Name] != nil {
			row[f.Name] = map[string]any{branch[f.Kind]: row[f.Name]}
		}
	}
	return row
}

// Sixteen workers make the same bytes as one, and each seed others.
func TestSameBytesAtAnyNumberOfWorkers(t *testing.T) {
	const events = 2000
	for _, kind := range fintech.All() {
		for _, format := range encode.Formats() {
			one := digest(t, kind.Name, format, 42, 1, events)
			for _, workers := range []uint64{2, 4, 16} {
				if got := digest(t, kind.Name, format, 42, workers, events); got != one {
					t.Errorf("%s as %s: %d workers make other bytes than one", kind.Name, format, workers)
				}
			}
			if digest(t, kind.Name, format, 43, 1, events) == one {
				t.Errorf("%s as %s: seeds 42 and 43 make the same bytes", kind.Name, format)
			}
		}
	}
}

// digest makes the events on several workers that share stream and encoder,
// and sums the bytes in the order of their sequence numbers.
func digest(t *testing.T, stream, format string, seed generators.Seed, workers, events uint64) string {
	base := newRecord(t, stream, format, seed)
	parts := make([][]byte, events)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := *base
			r.event = generators.NewEvent(r.stream.Schema())
			for seq := w; seq < events; seq += workers {
				r.make(seq)
				parts[seq] = bytes.Clone(r.bytes)
			}
		})
	}
	wg.Wait()
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return hex.EncodeToString(sum[:])
}

func TestRecordAllocatesNothing(t *testing.T) {
	for _, kind := range fintech.All() {
		for _, format := range encode.Formats() {
			r, seq := newRecord(t, kind.Name, format, 42), uint64(0)
			r.bytes = make([]byte, 0, 4096)
			if n := testing.AllocsPerRun(2000, func() { r.make(seq); seq++ }); n != 0 {
				t.Errorf("%s as %s: %v allocations a record", kind.Name, format, n)
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := encode.New("yaml", oddSchema(), encode.Options{})
	_, errDecoder := encode.NewDecoder("yaml", oddSchema())
	for _, err := range []error{err, errDecoder} {
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), "json, avro, avro-registry") {
			t.Errorf("got %v with code %d and hint %q", err, fail.CodeOf(err), fail.HintOf(err))
		}
	}
	broken := oddSchema()
	broken.Fields = broken.Fields[1:]
	if _, err := encode.New(encode.JSON, broken, encode.Options{}); err == nil {
		t.Error("took a schema without an identity")
	}
}

func TestColumnsJSON(t *testing.T) {
	const want = `[
  {"name":"event_id","type":"string"},
  {"name":"text","type":"string"},
  {"name":"text_or_null","type":"string"},
  {"name":"plain","type":"string"},
  {"name":"count","type":"int"},
  {"name":"count_or_null","type":"int"},
  {"name":"amount","type":"bigint"},
  {"name":"amount_or_null","type":"bigint"},
  {"name":"flag","type":"boolean"},
  {"name":"flag_or_null","type":"boolean"},
  {"name":"at","type":"timestamp"},
  {"name":"at_or_null","type":"timestamp"},
  {"name":"checksum","type":"bigint"}
]
`
	if diff := cmp.Diff(want, string(encode.ColumnsJSON(oddSchema()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
