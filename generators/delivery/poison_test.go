package delivery_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	hamba "github.com/hamba/avro/v2"

	"github.com/lakeproof/lakeproof/generators"
	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

func TestEachPoisonIsRefusedByTheStrictDecoder(t *testing.T) {
	for _, format := range encode.Formats() {
		if len(RejectedClasses(format)) == 0 {
			t.Errorf("%s: no poison is known for it", format)
		}
		schema, values := samples(t, format, 30)
		dec, err := encode.NewDecoder(format, schema)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPoisoner(format, schema, RejectedClasses(format)...)
		if err != nil {
			t.Fatal(err)
		}
		random := generators.Seed(1).Rand("test")
		ev := generators.NewEvent(schema)
		for i, value := range values {
			if err := dec.Decode(ev, value); err != nil {
				t.Fatalf("%s: a good record: %v", format, err)
			}
			keep := bytes.Clone(value)
			for _, class := range AllPoisons() {
				if !Applies(format, class) {
					continue
				}
				for j := range uint64(25) {
					if class == Oversized && j > 0 {
						break
					}
					bad := p.Append([]byte{}, class, value, random.At(uint64(i)*1000+j))
					if class != Tombstone && bytes.Equal(bad, value) {
						t.Fatalf("%s %s: nothing was spoilt", format, class)
					}
					if (class == Tombstone) != (bad == nil) || (class == Empty) != (bad != nil && len(bad) == 0) {
						t.Fatalf("%s %s: nil %v, %d bytes", format, class, bad == nil, len(bad))
					}
					if err := dec.Decode(ev, bad); err == nil {
						t.Fatalf("%s %s: taken for a record: %q", format, class, bad[:min(len(bad), 600)])
					}
					if dec.Intact(bad) && class != InvalidTimestamp {
						t.Errorf("%s %s: its checksum is right: %q", format, class, bad)
					}
				}
			}
			if !bytes.Equal(keep, value) {
				t.Fatalf("%s: the record itself was changed", format)
			}
		}
	}
}

// TestRejectedAvroIsRefusedByTheOrdinaryLibrary asks hamba/avro, which does not
// look at what stands behind a record or in a text. It is asked by its Decoder:
// its Unmarshal takes the end of the bytes for zeros and empty texts.
func TestRejectedAvroIsRefusedByTheOrdinaryLibrary(t *testing.T) {
	schema, values := samples(t, encode.Avro, 60)
	parsed, err := hamba.Parse(encode.AvroSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPoisoner(encode.Avro, schema)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[Class]int{}
	for i, value := range values {
		var into map[string]any
		if err := hamba.NewDecoderForSchema(parsed, bytes.NewReader(value)).Decode(&into); err != nil {
			t.Fatal(err)
		}
		for _, class := range AllPoisons() {
			if !Applies(encode.Avro, class) {
				continue
			}
			var into map[string]any
			bad := p.Append(nil, class, value, uint64(i)*0x9e3779b97f4a7c15)
			err := hamba.NewDecoderForSchema(parsed, bytes.NewReader(bad)).Decode(&into)
			if err == nil {
				taken[class]++
			}
			if err == nil && Rejected(encode.Avro, class) {
				t.Errorf("%s: hamba/avro takes it", class)
			}
		}
	}
	// The control, and the reason of the table: these are not surely rejected.
	if taken[InvalidUTF8] == 0 || taken[InvalidTimestamp] == 0 {
		t.Errorf("hamba/avro takes %v", taken)
	}
}

func TestPoisonOfTheFrame(t *testing.T) {
	for _, format := range []string{encode.AvroRegistry, encode.ProtobufRegistry} {
		framePoison(t, format)
	}
}

func framePoison(t *testing.T, format string) {
	t.Helper()
	schema, values := samples(t, format, 1)
	p, _ := NewPoisoner(format, schema)
	for random := range uint64(300) {
		if bad := p.Append(nil, WrongMagic, values[0], random); bad[0] < 2 || !bytes.Equal(bad[1:], values[0][1:]) {
			t.Fatalf("wrong magic: % x", bad[:5])
		}
		if bad := p.Append(nil, UnknownSchemaID, values[0], random); bad[0] != 0 || binary.BigEndian.Uint32(bad[1:]) < 0x7f000000 {
			t.Fatalf("unknown schema: % x", bad[:5])
		}
	}
}

func TestOversizedIsBelowTheBrokersLimit(t *testing.T) {
	for _, format := range encode.Formats() {
		if !Applies(format, Oversized) {
			continue
		}
		schema, values := samples(t, format, 1)
		p, _ := NewPoisoner(format, schema)
		if n := len(p.Append(nil, Oversized, values[0], 1)); n < OversizedBytes || n > 1<<20-4096 {
			t.Errorf("%s: %d bytes", format, n)
		}
	}
}

// TestPlacesOfPoison looks where lines and messages were spoilt.
func TestPlacesOfPoison(t *testing.T) {
	schema := &generators.Schema{Name: "T", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID},
		{Name: "note", Kind: generators.String},
		{Name: "at", Kind: generators.Timestamp},
		{Name: "amount", Kind: generators.Long},
		{Name: "checksum", Kind: generators.Checksum},
	}}
	line := []byte("01890000-0000-8000-8000-000000000000,\"a, \"\"b\"\"\",2026-01-01T00:00:00.000Z,12,99\n")
	for _, test := range []struct {
		class Class
		want  string
	}{
		{MissingField, "\"a, \"\"b\"\"\",2026-01-01T00:00:00.000Z,12,99\n"},
		{WrongType, "01890000-0000-8000-8000-000000000000,\"a, \"\"b\"\"\",2026-01-01T00:00:00.000Z,n/a,99\n"},
	} {
		p, err := NewPoisoner(encode.CSV, schema, test.class)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.Append(nil, test.class, line, 0)); got != test.want {
			t.Errorf("csv %s: %q", test.class, got)
		}
		for random := range uint64(100) {
			cut := p.Append(nil, Truncated, line, random<<57)
			if len(cut) == 0 || bytes.Count(cut, []byte{','}) >= bytes.Count(line, []byte{','}) {
				t.Fatalf("csv truncated: %q", cut)
			}
		}
	}
	p, err := NewPoisoner(encode.Protobuf, schema)
	if err != nil {
		t.Fatal(err)
	}
	message := append([]byte{10, 36}, "01890000-0000-8000-8000-000000000000\x28\x80\x01"...)
	if got := p.Append(nil, Truncated, message, 5); len(got) != len(message)-1 {
		t.Errorf("protobuf truncated: %q", got)
	}
	if got := p.Append(nil, WrongType, message, 5); got[0]&7 != 7 {
		t.Errorf("protobuf wrong type: %q", got)
	}
}

func TestPoisonerRefusesWhatMeansNothing(t *testing.T) {
	plain := &generators.Schema{Name: "T", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID}, {Name: "checksum", Kind: generators.Checksum},
	}}
	for _, test := range []struct {
		format string
		class  Class
	}{
		{encode.JSON, InvalidTimestamp},
		{encode.JSON, UnknownSchemaID},
		{encode.Avro, WrongMagic},
		{encode.Avro, Late},
		{encode.Protobuf, MissingField},
		{"xml", Truncated},
	} {
		if _, err := NewPoisoner(test.format, plain, test.class); err == nil {
			t.Errorf("%s %s: no error", test.format, test.class)
		}
	}
}

// TestSmallestSchema spoils records that hold nothing but an identity.
func TestSmallestSchema(t *testing.T) {
	schema := &generators.Schema{Name: "T", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID}, {Name: "checksum", Kind: generators.Checksum},
	}}
	for _, format := range encode.Formats() {
		enc, _ := encode.New(format, schema, encode.Options{})
		dec, _ := encode.NewDecoder(format, schema)
		value := enc.Append(nil, generators.NewEvent(schema))
		p, err := NewPoisoner(format, schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, class := range AllPoisons() {
			if !Applies(format, class) || class == InvalidTimestamp {
				continue
			}
			for random := range uint64(20) {
				if bad := p.Append([]byte("x")[:0], class, value, random*0x9e3779b97f4a7c15); dec.Decode(generators.NewEvent(schema), bad) == nil {
					t.Fatalf("%s %s: taken for a record: %q", format, class, bad)
				}
			}
		}
	}
}

// FuzzPoison gives values that are no records: nothing may break, and what
// comes out is no record either.
func FuzzPoison(f *testing.F) {
	schema, values := samples(f, encode.JSON, 1)
	f.Add(uint8(0), uint64(1), values[0])
	_, values = samples(f, encode.AvroRegistry, 1)
	f.Add(uint8(2), uint64(2), values[0])
	f.Add(uint8(3), uint64(2), []byte("\x0a\x24"))
	f.Add(uint8(4), uint64(2), []byte("a,\"b"))
	formats := encode.Formats()
	f.Fuzz(func(t *testing.T, which uint8, random uint64, value []byte) {
		format := formats[int(which)%len(formats)]
		p, _ := NewPoisoner(format, schema)
		dec, _ := encode.NewDecoder(format, schema)
		for _, class := range AllPoisons() {
			bad := p.Append([]byte{}, class, value, random)
			if Applies(format, class) && dec.Decode(generators.NewEvent(schema), bad) == nil {
				t.Errorf("%s %s: taken for a record: %q", format, class, bad)
			}
		}
	})
}

func TestPoisonAllocatesNothing(t *testing.T) {
	for _, format := range encode.Formats() {
		schema, values := samples(t, format, 1)
		p, _ := NewPoisoner(format, schema)
		buf := make([]byte, 0, 2*OversizedBytes)
		for _, class := range RejectedClasses(format) {
			if n := testing.AllocsPerRun(50, func() { p.Append(buf, class, values[0], 12345) }); n > 0 {
				t.Errorf("%s %s: %v allocations", format, class, n)
			}
		}
	}
}
