package encode_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// descriptor compiles the text that we publish.
func descriptor(tb testing.TB, s *generators.Schema) protoreflect.MessageDescriptor {
	tb.Helper()
	text := encode.ProtoSchema(s)
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"s.proto": text}),
	})}
	files, err := c.Compile(tb.Context(), "s.proto")
	if err != nil {
		tb.Fatalf("%v:\n%s", err, text)
	}
	return files[0].Messages().ByName(protoreflect.Name(s.Name))
}

// protoValue is a field as the ordinary library reads it; nil is not there.
func protoValue(m protoreflect.Message, f protoreflect.FieldDescriptor) any {
	if f.HasPresence() && !m.Has(f) {
		return nil
	}
	v := m.Get(f)
	if f.Message() == nil {
		return v.Interface()
	}
	inner, fields := v.Message(), f.Message().Fields()
	return time.Unix(inner.Get(fields.ByNumber(1)).Int(), inner.Get(fields.ByNumber(2)).Int()).UTC()
}

// The ordinary library reads what we write by the schema we publish, and writes
// the same bytes itself.
func TestProtobufAgainstLibrary(t *testing.T) {
	for _, s := range append(samples(t), randomSamples()...) {
		desc := descriptor(t, s.schema)
		e, _ := codecs(t, encode.Protobuf, s.schema)
		framed, _ := codecs(t, encode.ProtobufRegistry, s.schema)
		for _, ev := range s.events {
			value := e.Append(nil, ev)
			if with := framed.Append(nil, ev); !bytes.Equal(with, append([]byte{0, 1, 2, 3, 4, 0}, value...)) {
				t.Fatalf("framed: %x, want %x after the frame", with, value)
			}
			m := dynamicpb.NewMessage(desc)
			if err := (proto.UnmarshalOptions{}).Unmarshal(value, m); err != nil {
				t.Fatalf("%v: %x", err, value)
			}
			if unknown := m.GetUnknown(); len(unknown) > 0 {
				t.Fatalf("unknown fields: %x", unknown)
			}
			for i, f := range s.schema.Fields {
				want := plainValue(ev, f.Kind, ev.Values[i], func(n int64) any {
					if f.Kind == generators.Int {
						return int32(n)
					}
					return n
				})
				got := protoValue(m, desc.Fields().ByName(protoreflect.Name(f.Name)))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s of %x (-want +got):\n%s", f.Name, value, diff)
				}
			}
			again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil || !bytes.Equal(again, value) {
				t.Fatalf("the library writes %x, %v, want %x", again, err, value)
			}
		}
	}
}

func TestProtoSchema(t *testing.T) {
	for _, s := range samples(t) {
		got := encode.ProtoSchema(s.schema)
		file := filepath.Join("testdata", s.name+".proto.golden")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("numbers and types must stay as they are (-want +got):\n%s", diff)
		}
		desc := descriptor(t, s.schema)
		for i, f := range s.schema.Fields {
			field := desc.Fields().ByName(protoreflect.Name(f.Name))
			number := protoreflect.FieldNumber(i + 1)
			if f.Kind == generators.Checksum {
				number = 1000
			}
			if field.Number() != number || field.HasOptionalKeyword() != f.Nullable {
				t.Errorf("%s is number %d, optional %t", f.Name, field.Number(), field.HasOptionalKeyword())
			}
		}
	}
}

// A schema that grows at its end is read by the old decoder, and the other way
// round: no number changes its meaning.
func TestProtobufGrows(t *testing.T) {
	old := smallSchema()
	grown := smallSchema()
	last := len(grown.Fields) - 1
	grown.Fields = append(grown.Fields[:last:last],
		generators.Field{Name: "wallet", Kind: generators.String, Nullable: true},
		generators.Field{Name: "at2", Kind: generators.Timestamp, Nullable: true}, grown.Fields[last])
	oldEnc, oldDec := codecs(t, encode.Protobuf, old)
	newEnc, newDec := codecs(t, encode.Protobuf, grown)

	ev := generators.NewEvent(grown)
	ev.Values[1].Str, ev.Values[last].Str, ev.Values[last+1].Int = "text", "wallet", 1_000_000
	value := newEnc.Append(nil, ev)
	got := new(generators.Event)
	if err := oldDec.Decode(got, value); err != nil || got.Values[1].Str != "text" || !oldDec.Intact(value) {
		t.Errorf("the old decoder: %v, %+v", err, got)
	}
	value = oldEnc.Append(nil, generators.NewEvent(old))
	if err := newDec.Decode(got, value); err != nil || !got.Values[last].Null || !newDec.Intact(value) {
		t.Errorf("the new decoder: %v, %+v", err, got)
	}
}

func TestDecodeProtobuf(t *testing.T) {
	_, d := codecs(t, encode.Protobuf, smallSchema())
	uuid := "0a24" + hex.EncodeToString([]byte("0123abcd-4567-89ef-8765-fedcba987654"))
	null := generators.Value{Null: true}
	for _, c := range []struct {
		name, hex string
		want      []generators.Value
	}{
		{"the least", uuid + "c03e01", []generators.Value{{}, null, null, null, null, null, {Int: 1}}},
		{"any order, long varints", "c0be008100" + "288000" + "a0008400" + "18ffffffffffffffffff01" + uuid, []generators.Value{{}, null, {Int: -1}, {Int: 4}, {Int: 0}, null, {Int: 1}}},
		{"strangers", "8a7d0178" + uuid + "817d0102030405060708" + "857d01020304" + "807dff01" + "c03e01", []generators.Value{{}, null, null, null, null, null, {Int: 1}}},
		{"stamp of nothing", uuid + "3200c03e01", []generators.Value{{}, null, null, null, null, {Int: 0}, {Int: 1}}},
		{"stamp with strangers", uuid + "320a" + "0801" + "10d80f" + "1801" + "220101" + "c03e01", []generators.Value{{}, null, null, null, null, {Int: 1_000_002}, {Int: 1}}},
	} {
		value, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		var got generators.Event
		if err := d.Decode(&got, value); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if diff := cmp.Diff(c.want, got.Values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestDecodeProtobufRefuses(t *testing.T) {
	s := smallSchema()
	s.Fields[5].Nullable, s.Fields[1].Nullable = false, false
	e, d := codecs(t, encode.Protobuf, s)
	ev := generators.NewEvent(s)
	ev.Values[1].Str, ev.Values[5].Int = "text", 1_700_000_000_123_000
	good := e.Append(nil, ev)
	for n := range good {
		if d.Decode(new(generators.Event), good[:n]) == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
	uuid := "0a24" + hex.EncodeToString([]byte("0123abcd-4567-89ef-8765-fedcba987654"))
	stamp, sum := "3200", "c03e01"
	for _, c := range []struct{ hex, want string }{
		{"", `field "event_id" is missing`},
		{uuid + sum, `field "t" is missing`},
		{uuid + stamp, `field "checksum" is missing`},
		{"0a0178" + stamp + sum, "want a UUID"},
		{uuid + stamp + sum + sum, `field "checksum" is there twice`},
		{uuid + stamp + sum + "00", "want a field number"},
		{uuid + stamp + sum + "8080808010" + "00", "want a field number"},
		{uuid + stamp + sum + "0b", `field "event_id" is there twice`},
		{uuid + stamp + sum + "13", `field "s": want wire type 2, not 3`},
		{uuid + stamp + sum + "837d", "want no wire type 3"},
		{uuid + stamp + sum + "1001", `field "s": want wire type 2, not 0`},
		{uuid + stamp + sum + "1202", "want more bytes"},
		{uuid + stamp + sum + "12ffffffffffffffffff01", "want more bytes"},
		{uuid + stamp + sum + "1201ff", "want UTF-8"},
		{uuid + stamp + sum + "188080808008", "want a number from -2147483648 to 2147483647, not 2147483648"},
		{uuid + stamp + sum + "20ffffffffffffffffff02", "want a number of 64 bits"},
		{uuid + stamp + sum + "20ffffffffffffffffffff01", "want a number of 64 bits"},
		{uuid + stamp + sum + "2802", "want a number from 0 to 1"},
		{uuid + stamp + "c03e8080808010", "want a number from 0 to 4294967295"},
		{uuid + "3206" + "0880808080" + "80" + sum, "want more bytes"},
		{uuid + "32020901" + sum, "want seconds and nanoseconds"},
		{uuid + "320408010801" + sum, "want seconds and nanoseconds"},
		{uuid + "32061080a8d6b907" + sum, "want a number from 0 to 999999999"},
		{uuid + "320b10ffffffffffffffffff01" + sum, "want a number from 0 to 999999999"},
	} {
		value, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(new(generators.Event), value); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.hex, err, c.want)
		}
	}
}

func TestProtobufFrame(t *testing.T) {
	e, d := codecs(t, encode.ProtobufRegistry, smallSchema())
	good := e.Append(nil, generators.NewEvent(smallSchema()))
	long := append([]byte{0, 1, 2, 3, 4, 2, 0}, good[6:]...) // the same index, as count and number
	if err := d.Decode(new(generators.Event), long); err != nil || !d.Intact(long) {
		t.Errorf("with the index as a list: %v", err)
	}
	for name, bad := range map[string][]byte{
		"nothing":        nil,
		"half a frame":   {0, 0, 0, 0, 1},
		"no frame":       good[6:],
		"second message": append([]byte{0, 1, 2, 3, 4, 2, 2}, good[6:]...),
		"inner message":  append([]byte{0, 1, 2, 3, 4, 4, 0, 0}, good[6:]...),
	} {
		if err := d.Decode(new(generators.Event), bad); err == nil || d.Intact(bad) {
			t.Errorf("%s: no error", name)
		}
	}
}

// What Avro takes as names and protoc does not is refused with a hint.
func TestProtobufNames(t *testing.T) {
	for name, fields := range map[string][2]string{"the same in JSON": {"a_b", "aB"}, "the package": {"google", "x"}} {
		s := smallSchema()
		s.Fields[1].Name, s.Fields[2].Name = fields[0], fields[1]
		_, err := encode.New(encode.Protobuf, s, encode.Options{})
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := encode.New(encode.Avro, s, encode.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := smallSchema()
	s.Doc = "Two lines.\nThe second */ \"quotes\"."
	s.Fields[1].Name, s.Fields[2].Name, s.Fields[3].Name = "message", "optional", "_package"
	descriptor(t, s)
}

// Decode takes nothing that the ordinary library refuses, and finds the same
// values.
func FuzzDecodeProtobuf(f *testing.F) {
	s := oddSchema()
	e, d := codecs(f, encode.Protobuf, s)
	for _, ev := range oddEvents()[:20] {
		f.Add(e.Append(nil, ev))
	}
	desc := descriptor(f, s)
	f.Fuzz(func(t *testing.T, value []byte) {
		intact := d.Intact(value)
		var ev, again generators.Event
		if d.Decode(&ev, value) != nil {
			return
		}
		m := dynamicpb.NewMessage(desc)
		if err := proto.Unmarshal(value, m); err != nil {
			t.Fatalf("took what the library refuses: %v: %x", err, value)
		}
		for i, field := range s.Fields {
			v := ev.Values[i]
			want := plainValue(&ev, field.Kind, v, func(n int64) any {
				if field.Kind == generators.Int {
					return int32(n)
				}
				return n
			})
			got := protoValue(m, desc.Fields().ByName(protoreflect.Name(field.Name)))
			if at, ok := got.(time.Time); ok {
				got = time.UnixMicro(at.UnixMicro()).UTC()
			}
			if id, ok := got.(string); ok && field.Kind == generators.UUID {
				got = strings.ToLower(id)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s of %x (-ours +library):\n%s", field.Name, value, diff)
			}
			if field.Kind == generators.Timestamp { // kept to the microsecond, encoded to the millisecond
				ev.Values[i].Int -= (v.Int%1000 + 1000) % 1000
			}
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
