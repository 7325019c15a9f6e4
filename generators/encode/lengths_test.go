package encode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// Strings of every length around those that are copied in pieces of a fixed size,
// in more fields than are written at once, with and without room: the bytes are the
// same, and what was there before stays.
func TestEveryLength(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ+"
	s := &generators.Schema{Name: "Lengths", Fields: []generators.Field{{Name: "id", Kind: generators.UUID}}}
	ev := &generators.Event{ID: generators.ID128{1, 2, 3, 0xff}, Values: make([]generators.Value, 1)}
	for size := range len(alphabet) {
		for _, f := range []generators.Field{
			{Kind: generators.String, Plain: true},
			{Kind: generators.String, Plain: true, Nullable: true},
			{Kind: generators.Long, Nullable: true},
		} {
			f.Name = fmt.Sprintf("f%s%d", strings.Repeat("y", size%40), len(s.Fields))
			v := generators.Value{Int: 1<<size - 1}
			if f.Kind == generators.String {
				v = generators.Value{Str: alphabet[:size]}
			}
			if f.Nullable && size%5 == 3 {
				v = generators.Value{Null: true}
			}
			s.Fields, ev.Values = append(s.Fields, f), append(ev.Values, v)
		}
	}
	s.Fields = append(s.Fields, generators.Field{Name: "sum", Kind: generators.Checksum})
	ev.Values = append(ev.Values, generators.Value{})
	for _, format := range encode.Formats() {
		e, d := codecs(t, format, s)
		want := e.Append(nil, ev)
		got := generators.NewEvent(s)
		if err := d.Decode(got, want); err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if diff := cmp.Diff(ev, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", format, diff)
		}
		for room := 0; room < 2*len(want); room += 61 {
			if out := e.Append(append(make([]byte, 0, 2+room), "ab"...), ev); string(out) != "ab"+string(want) {
				t.Fatalf("%s with room for %d bytes: %q", format, room, out)
			}
		}
	}
}
