package delivery_test

import (
	"fmt"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// sampleSchema has each kind of field, required and nullable. It is this
// package's own, so that no change of a stream changes the recorded bytes.
func sampleSchema() *generators.Schema {
	return &generators.Schema{Name: "Sample", Fields: []generators.Field{
		{Name: "event_id", Kind: generators.UUID},
		{Name: "event_time", Kind: generators.Timestamp},
		{Name: "status", Kind: generators.String, Plain: true},
		{Name: "card_token", Kind: generators.String, Nullable: true},
		{Name: "amount_minor", Kind: generators.Long},
		{Name: "currency_exponent", Kind: generators.Int},
		{Name: "merchant_city", Kind: generators.String, Nullable: true},
		{Name: "risk_score", Kind: generators.Int},
		{Name: "limit_minor", Kind: generators.Long, Nullable: true},
		{Name: "tries", Kind: generators.Int, Nullable: true},
		{Name: "settled_at", Kind: generators.Timestamp, Nullable: true},
		{Name: "is_recurring", Kind: generators.Bool},
		{Name: "is_foreign", Kind: generators.Bool, Nullable: true},
		{Name: "checksum", Kind: generators.Checksum},
	}}
}

// fillSample makes sample n.
func fillSample(ev *generators.Event, n uint64) {
	key := generators.NewKey(9)
	ev.ID = key.Seal(0, n)
	random := generators.Seed(7).Rand("sample").Entity(n)
	at := 1_767_225_600_000_000 + int64(n)*1_003_000
	cities := []string{"Zürich", `Saint "Q"`, "Łódź", "a,b{c}", "\t東京"}
	ev.Values[1] = generators.Value{Int: at}
	ev.Values[2] = generators.Value{Str: []string{"approved", "declined"}[random.At(2)&1]}
	ev.Values[3] = generators.Value{Str: fmt.Sprintf("tok-%08x", uint32(random.At(3)))}
	ev.Values[4] = generators.Value{Int: int64(random.At(4) >> uint(random.At(40)&63))}
	ev.Values[5] = generators.Value{Int: int64(random.At(5) % 4)}
	ev.Values[6] = generators.Value{Str: cities[random.At(6)%5]}
	ev.Values[7] = generators.Value{Int: int64(random.At(7) % 1000)}
	ev.Values[8] = generators.Value{Int: -int64(random.At(8) >> 2)}
	ev.Values[9] = generators.Value{Int: int64(int32(random.At(9)))}
	ev.Values[10] = generators.Value{Int: at + 86_400_000_000}
	ev.Values[11] = generators.Value{Int: int64(random.At(11) & 1)}
	ev.Values[12] = generators.Value{Int: int64(random.At(12) & 1)}
	for i, f := range sampleSchema().Fields {
		if f.Nullable && random.At(uint64(100+i))%3 == 0 {
			ev.Values[i] = generators.Value{Null: true}
		}
	}
}

// sampleSchemaID is in the frame of samples.
const sampleSchemaID = 3

// samples are encoded samples.
func samples(t testing.TB, format string, count int) (*generators.Schema, [][]byte) {
	t.Helper()
	schema := sampleSchema()
	enc, err := encode.New(format, schema, encode.Options{SchemaID: sampleSchemaID})
	if err != nil {
		t.Fatal(err)
	}
	ev := generators.NewEvent(schema)
	var out [][]byte
	for n := range uint64(count) {
		fillSample(ev, n)
		out = append(out, enc.Append(nil, ev))
	}
	return schema, out
}

// evolved encodes sample n with a version.
func evolved(t testing.TB, format string, v *delivery.Version, n uint64) []byte {
	t.Helper()
	src, dst := generators.NewEvent(v.First), generators.NewEvent(v.Schema)
	fillSample(src, n)
	v.Fill(dst, src, n)
	enc, err := encode.New(format, v.Schema, encode.Options{SchemaID: 4})
	if err != nil {
		t.Fatal(err)
	}
	return enc.Append(nil, dst)
}
