package delivery_test

import (
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	. "github.com/lakeproof/lakeproof/generators/delivery"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// TestRejectedProtobufIsRefusedByTheOrdinaryLibrary asks protobuf-go.
func TestRejectedProtobufIsRefusedByTheOrdinaryLibrary(t *testing.T) {
	schema, values := samples(t, encode.Protobuf, 60)
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"s.proto": encode.ProtoSchema(schema)}),
	})}
	files, err := c.Compile(t.Context(), "s.proto")
	if err != nil {
		t.Fatal(err)
	}
	desc := files[0].Messages().ByName(protoreflect.Name(schema.Name))
	p, err := NewPoisoner(encode.Protobuf, schema)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[Class]int{}
	for i, value := range values {
		if err := proto.Unmarshal(value, dynamicpb.NewMessage(desc)); err != nil {
			t.Fatal(err)
		}
		for _, class := range AllPoisons() {
			if !Applies(encode.Protobuf, class) || class == Tombstone { // no bytes to ask about
				continue
			}
			bad := p.Append([]byte{}, class, value, uint64(i)*0x9e3779b97f4a7c15)
			if err := proto.Unmarshal(bad, dynamicpb.NewMessage(desc)); err == nil {
				if taken[class]++; Rejected(encode.Protobuf, class) {
					t.Errorf("%s: protobuf-go takes %x", class, bad[:min(len(bad), 60)])
				}
			}
		}
	}
	// The control, and the reason of the table.
	if taken[Empty] != len(values) || len(taken) != 1 {
		t.Errorf("protobuf-go takes %v", taken)
	}
}
