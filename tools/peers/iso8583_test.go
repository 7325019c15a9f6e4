package peers

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
	"github.com/moov-io/iso8583/specs"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso8583"
)

// spec is moov's ASCII packing of 1987, with the bitmap of 64 bits that grows to
// 128, as most systems have it, and two fields that moov's table leaves out.
func spec() *moov.MessageSpec {
	s := &moov.MessageSpec{Name: "ISO 8583:1987 ASCII", Fields: map[int]field.Field{}}
	maps.Copy(s.Fields, specs.Spec87ASCII.Fields)
	s.Fields[1] = field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed})
	s.Fields[95] = field.NewString(&field.Spec{Length: 42, Enc: encoding.ASCII, Pref: prefix.ASCII.Fixed})
	s.Fields[102] = field.NewString(&field.Spec{Length: 28, Enc: encoding.ASCII, Pref: prefix.ASCII.LL})
	return s
}

func transaction(n uint64) *iso8583.Transaction {
	r := generators.Seed(7).Rand("peers.iso8583").Entity(n)
	t := &iso8583.Transaction{
		PAN:        string(identifier.AppendPAN(nil, identifier.PANMode(n%3), r.At(0))),
		Processing: uint32(r.At(1) % 3 * 10_000),
		Amount:     int64(generators.Below(r.At(2), 1_000_000_000_000)),
		Billing:    int64(r.At(3) % 2 * 4711),
		Sent:       1_767_225_600_000_000 + int64(generators.Below(r.At(4), 365*86_400_000_000)),
		Trace:      uint32(generators.Below(r.At(5), 1_000_000)),
		Expiry:     2912,
		MCC:        uint16(r.At(6) % 10_000),
		Country:    uint16(r.At(7) % 1000),
		EntryMode:  uint16(r.At(8) % 1000),
		Condition:  uint8(r.At(9) % 100),
		Acquirer:   strconv.FormatUint(r.At(10)%100_000_000_000, 10),
		Reference:  fmt.Sprintf("%012d", r.At(11)%1_000_000_000_000),
		AuthCode:   fmt.Sprintf("%06d", r.At(12)%1_000_000),
		Response:   "00",
		Terminal:   "TERM0001",
		Merchant:   "MERCHANT" + fmt.Sprintf("%07d", r.At(13)%10_000_000),
		Name:       "Corner shop",
		City:       "Springfield",
		Place:      "US",
		Currency:   "840",
		BilledIn:   "978",
		Original:   iso8583.Original{Type: iso8583.FinancialRequest, Trace: 5, Acquirer: "123"},
		Actual:     int64(r.At(14) % 2 * 100),
	}
	t.Local = t.Sent - 5*3_600_000_000
	return t
}

// TestISO8583 unpacks messages with moov's library, compares the fields, and
// packs them again: the bytes must be the same.
func TestISO8583(t *testing.T) {
	codec, parsed, s := iso8583.New(), iso8583.Message{}, spec()
	types := []iso8583.MTI{
		iso8583.AuthorisationRequest, iso8583.AuthorisationResponse, iso8583.FinancialRequest,
		iso8583.FinancialResponse, iso8583.ReversalAdvice, iso8583.ReversalResponse,
	}
	fields := 0
	for n := range uint64(3000) {
		data, err := codec.Append(nil, types[n/3%6], transaction(n))
		if err != nil {
			t.Fatal(err)
		}
		if err := codec.Parse(&parsed, data); err != nil {
			t.Fatal(err)
		}
		m := moov.NewMessage(s)
		if err := m.Unpack(data); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if mti, err := m.GetMTI(); err != nil || mti != parsed.Type().String() {
			t.Fatalf("%s: type %s, %v", data, mti, err)
		}
		for i := 2; i <= 128; i++ {
			if m.Bitmap().IsSet(i) != parsed.Has(i) {
				t.Fatalf("%s: field %d is there: moov says %v", data, i, m.Bitmap().IsSet(i))
			}
			if !parsed.Has(i) {
				continue
			}
			fields++
			text, err := m.GetString(i)
			// Both libraries may drop the padding that is not part of the value.
			if want := string(parsed.Bytes(i)); err != nil || strings.Trim(text, " ") != strings.Trim(want, " ") &&
				strings.TrimLeft(text, "0") != strings.TrimLeft(want, "0") {
				t.Fatalf("%s: field %d is %q, moov says %q, %v", data, i, want, text, err)
			}
		}
		again, err := m.Pack()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("moov packs it as\n%s, %v\nours is\n%s", again, err, data)
		}
	}
	if fields < 40_000 {
		t.Errorf("only %d fields were compared", fields)
	}
	if err := moov.NewMessage(s).Unpack([]byte("0100C238048000818000")); err == nil {
		t.Error("moov reads a message without its second bitmap")
	}
}
