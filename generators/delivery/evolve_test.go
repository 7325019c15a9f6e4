package delivery_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	hamba "github.com/hamba/avro/v2"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestVersionsRefuse(t *testing.T) {
	field := func(name string, nullable bool) []generators.Field {
		return []generators.Field{{Name: name, Kind: generators.Long, Nullable: nullable}}
	}
	for name, test := range map[string]struct {
		changes []Evolve
		want    string
	}{
		"unknown":         {[]Evolve{{Remove: []string{"colour"}}}, `no field "colour"`},
		"event_id":        {[]Evolve{{Remove: []string{"event_id"}}}, "must stay"},
		"checksum":        {[]Evolve{{Rename: []Rename{{"checksum", "sum"}}}}, "must stay"},
		"there already":   {[]Evolve{{Add: field("status", true)}}, "name of version 1"},
		"old name":        {[]Evolve{{Remove: []string{"status"}}, {Add: field("status", true)}}, "version 3"},
		"renamed to old":  {[]Evolve{{Rename: []Rename{{"risk_score", "status"}}}}, "name of version 1"},
		"added twice":     {[]Evolve{{Compatible: true, Add: field("x", true)}, {Compatible: true, Add: field("x", true)}}, "twice"},
		"bad name":        {[]Evolve{{Add: field("x y", true)}}, "letters"},
		"nullable":        {[]Evolve{{Retype: []Retype{{"card_token", generators.Long}}}}, "retype a required"},
		"kind":            {[]Evolve{{Retype: []Retype{{"amount_minor", generators.Bool}}}}, "long cannot become bool"},
		"twice":           {[]Evolve{{Retype: []Retype{{"currency_exponent", generators.Long}}}, {Retype: []Retype{{"currency_exponent", generators.String}}}}, "once"},
		"not compatible":  {[]Evolve{{Compatible: true, Remove: []string{"status"}}}, "compatible: true, but it is false"},
		"compatible":      {[]Evolve{{Add: field("x", true)}}, "compatible: false, but it is true"},
		"required, added": {[]Evolve{{Compatible: true, Add: field("x", false)}}, "compatible: true, but it is false"},
	} {
		_, err := Versions(1, sampleSchema(), test.changes)
		if err == nil || !strings.Contains(err.Error(), test.want) || fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q), want %q", name, err, fail.HintOf(err), test.want)
		}
	}
}

func TestVersionsLeaveTheFirstAsItWas(t *testing.T) {
	first := sampleSchema()
	versions, err := Versions(1, first, []Evolve{
		{Compatible: true, Add: []generators.Field{
			{Name: "wallet_id", Kind: generators.String, Nullable: true},
			{Name: "score", Kind: generators.Int, Nullable: true},
			{Name: "flag", Kind: generators.Bool, Nullable: true},
			{Name: "cleared_at", Kind: generators.Timestamp, Nullable: true},
		}},
		{Rename: []Rename{{"amount_minor", "amount"}}, Remove: []string{"card_token"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if first.Index("amount_minor") != 4 || len(first.Fields) != len(sampleSchema().Fields) {
		t.Error("the first version was changed")
	}
	src := generators.NewEvent(first)
	nulls, words := 0, map[string]bool{}
	for n := range uint64(1000) {
		fillSample(src, n)
		for _, v := range versions {
			dst := generators.NewEvent(v.Schema)
			v.Fill(dst, src, n)
			if dst.ID != src.ID {
				t.Fatal("another identity")
			}
			for i, f := range v.Schema.Fields[1 : len(v.Schema.Fields)-1] {
				name := strings.Replace(f.Name, "amount", "amount_minor", 1)
				name = strings.Replace(name, "_minor_minor", "_minor", 1)
				if at := first.Index(name); at >= 0 && dst.Values[i+1] != src.Values[at] {
					t.Fatalf("version %d: %s is %+v, was %+v", v.Number, f.Name, dst.Values[i+1], src.Values[at])
				}
				if f.Name == "wallet_id" {
					if words[dst.Values[i+1].Str] = true; dst.Values[i+1].Null {
						nulls++
					}
				}
			}
			// It is a record of the version by its own strict decoder.
			for _, format := range []string{encode.JSON, encode.AvroRegistry} {
				dec, _ := encode.NewDecoder(format, v.Schema)
				value := evolved(t, format, &v, n)
				if err := dec.Decode(generators.NewEvent(v.Schema), value); err != nil || !dec.Intact(value) {
					t.Fatalf("version %d %s: %v", v.Number, format, err)
				}
			}
		}
	}
	if nulls < 400 || nulls > 600 || len(words) != 65 { // a quarter of 2000; 64 words and none
		t.Errorf("wallet_id: %d nulls, %d words", nulls, len(words))
	}
}

// TestAvroResolvesAsExpectSays asks hamba/avro to read records of each version
// with the first version's schema.
func TestAvroResolvesAsExpectSays(t *testing.T) {
	reader, err := hamba.Parse(encode.AvroSchema(sampleSchema()))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range evolutions() {
		versions, err := Versions(1, sampleSchema(), []Evolve{change})
		if err != nil {
			t.Fatal(err)
		}
		v := &versions[1]
		want, err := Expect(encode.AvroRegistry, v)
		if err != nil {
			t.Fatal(err)
		}
		writer, err := hamba.Parse(encode.AvroSchema(v.Schema))
		if err != nil {
			t.Fatal(err)
		}
		both, err := hamba.NewSchemaCompatibility().Resolve(reader, writer)
		if err != nil {
			if want != Refused {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
			continue
		}
		got := Intact
		for n := range uint64(20) {
			var row, first map[string]any
			value := evolved(t, encode.AvroRegistry, v, n)[5:]
			if err := hamba.NewDecoderForSchema(both, bytes.NewReader(value)).Decode(&row); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			old := evolved(t, encode.AvroRegistry, &versions[0], n)[5:]
			if err := hamba.NewDecoderForSchema(reader, bytes.NewReader(old)).Decode(&first); err != nil {
				t.Fatal(err)
			}
			for column, value := range first {
				switch {
				case column == "checksum":
				case row[column] == nil && value != nil:
					got = max(got, Lost)
				case row[column] != value:
					got = Altered
				}
			}
		}
		if got != want {
			t.Errorf("%s: hamba/avro: %s, want %s", name, got, want)
		}
	}
}

func TestExpectOfOtherFormats(t *testing.T) {
	versions, _ := Versions(1, sampleSchema(), []Evolve{evolutions()["add nullable"]})
	if _, err := Outcomes(encode.Avro, versions); err == nil {
		t.Error("avro without a registry: no error")
	}
	if out, err := Outcomes(encode.Avro, versions[:1]); err != nil || out[0] != Intact {
		t.Error("avro without a change: an error")
	}
	out, err := Outcomes(encode.JSON, versions)
	if err != nil || len(out) != 2 || out[1].String() != "intact" || Outcome(9).String() != "outcome?" {
		t.Errorf("%v %v", out, err)
	}
}

// TestWhenAVersionBegins looks at the first record of each version.
func TestWhenAVersionBegins(t *testing.T) {
	add := func(name string) []generators.Field {
		return []generators.Field{{Name: name, Kind: generators.Long, Nullable: true}}
	}
	schedule := ramp{2000}
	p := mustPlan(t, 1, schedule, Config{
		Drop: Often{Share: 20 * Percent},
		Late: Delayed{Often{Share: 10 * Percent}, Law{Kind: Fixed, From: 20 * time.Second}},
		Evolve: []Evolve{
			{After: 100 * time.Second, Add: add("a")},
			{Event: 3, Add: add("b")}, // passed long before, but it waits for the one before it
			{Slot: 1500, Add: add("c")},
			{Event: 1990, Add: add("d")},
		},
	})
	sends, faults := walk(p.NewWalker())
	for _, s := range sends {
		want := uint8(1)
		if schedule.At(s.TruthSlot) >= 100*time.Second {
			want = 3
		}
		if s.TruthSlot >= 1500 {
			want = 4
		}
		if s.TruthSlot >= 1500 && s.Truth >= 1990 {
			want = 5
		}
		if s.Version != want {
			t.Fatalf("%+v, want version %d", s, want)
		}
	}
	var begun []uint8
	for _, f := range faults {
		if f.Class == Evolved {
			begun = append(begun, f.Version)
		}
	}
	if !bytes.Equal(begun, []byte{3, 4, 5}) {
		t.Errorf("versions %v in the ledger", begun)
	}
	s := p.Summarize(p.Slots(), BooksOptions{Outcomes: []Outcome{Intact, Intact, Lost, Altered, Refused}})
	for v := range 5 {
		n := uint64(0)
		for _, send := range sends {
			if int(send.Version) == v+1 {
				n++
			}
		}
		if s.Versions[v] != n {
			t.Errorf("version %d: %d records, sent %d", v+1, s.Versions[v], n)
		}
	}
	if c := s.Total; c.Lost != s.Versions[2] || c.Altered != s.Versions[3] || c.Refused != s.Versions[4] ||
		c.DeadLetters != c.Refused || c.Readable != c.Sent-c.Refused || s.Balance() != nil {
		t.Errorf("%+v", c)
	}
}
