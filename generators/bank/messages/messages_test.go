package messages_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso8583"
)

// even is a clock: an event every so many microseconds.
type even struct{ start, gap int64 }

func (c even) At(n uint64) int64 { return c.start + int64(n)*c.gap }

const events = 60_000

// told is the messages of a bank's payments, by the number of the event.
func told(tb testing.TB, format string, seed generators.Seed) (records []generators.Event, said [][]string) {
	tb.Helper()
	flows, err := flow.Load()
	if err != nil {
		tb.Fatal(err)
	}
	const start = 1_767_571_200_000_000
	b, err := bank.New(bank.Config{
		Seed: seed, Customers: 1000, Merchants: 200, Flows: flows, Start: start,
		Clocks: map[flow.Stream]bank.Clock{flow.Payments: even{start, 60_000_000}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := b.Stream("payments")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := messages.New(format)
	if err != nil {
		tb.Fatal(err)
	}
	part := s.(generators.Ranger).Range(0, events) //nolint:forcetypeassert // it is
	parties := part.(messages.Parties)             //nolint:forcetypeassert // it is
	key := generators.NewKey(uint64(seed))
	var buf []byte
	for n := range uint64(events) {
		ev := generators.NewEvent(s.Schema())
		part.Fill(ev, n, 0)
		ev.ID = key.Seal(0, n)
		var ends []int
		if buf, ends, err = m.Append(buf[:0], nil, messages.Payment{Event: ev, Seq: n, Parties: parties}); err != nil {
			tb.Fatal(err)
		}
		var texts []string
		from := 0
		for _, end := range ends {
			texts = append(texts, string(buf[from:end]))
			from = end
		}
		if from != len(buf) {
			tb.Fatalf("event %d: %d bytes behind its messages", n, len(buf)-from)
		}
		records, said = append(records, *ev), append(said, texts)
	}
	return records, said
}

func value(tb testing.TB, ev *generators.Event, name string) generators.Value {
	tb.Helper()
	schema, err := bank.Schema("payments")
	if err != nil {
		tb.Fatal(err)
	}
	return ev.Values[schema.Index(name)]
}

// first is the text of the first element of a name, or "".
func first(text, tag string) string {
	if m := regexp.MustCompile("<" + tag + ">([^<]+)<").FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// What is told of a transfer is what happened, in XML of one line, with numbers
// that everybody takes.
func TestTransfers(t *testing.T) {
	t.Parallel()
	uetrs := map[string]map[uint64]string{}
	accounts := map[string]string{} // by the id
	for format, allowed := range map[string]string{
		messages.Pacs008: "transfer settled, standing_order settled, salary settled",
		messages.Pain001: "transfer settled, transfer declined",
	} {
		records, said := told(t, format, 1)
		uetrs[format] = map[uint64]string{}
		kinds := map[string]int{}
		for n, texts := range said {
			ev := &records[n]
			kind := value(t, ev, "event_type").Str + " " + value(t, ev, "status").Str
			if (len(texts) > 0) != strings.Contains(allowed, kind) || len(texts) > 1 {
				t.Fatalf("%s: event %d, %s: %d messages", format, n, kind, len(texts))
			}
			if len(texts) == 0 {
				continue
			}
			kinds[kind]++
			if n%10 == 0 {
				checkXML(t, texts[0])
			}
			uetrs[format][uint64(n)] = first(texts[0], "UETR")
			id := value(t, ev, "account_id").Str
			if strings.HasPrefix(kind, "salary") {
				continue // the account is the creditor's
			}
			number := first(texts[0][strings.Index(texts[0], "<DbtrAcct>"):], "(?:IBAN|Id)")
			if known, ok := accounts[id]; ok && known != number {
				t.Fatalf("account %s is %s and %s", id, known, number)
			}
			accounts[id] = number
		}
		if want := strings.Count(allowed, ",") + 1; len(kinds) != want {
			t.Errorf("%s: %v, want %d kinds", format, kinds, want)
		}
	}
	numbers, shared := map[string]bool{}, 0
	for _, number := range accounts {
		numbers[number] = true
	}
	if len(numbers) != len(accounts) || len(accounts) < 500 {
		t.Errorf("%d accounts with %d numbers", len(accounts), len(numbers))
	}
	seen := map[string]bool{}
	for n, uetr := range uetrs[messages.Pacs008] {
		if ordered, ok := uetrs[messages.Pain001][n]; ok {
			shared++
			if ordered != uetr {
				t.Fatalf("event %d: UETR %s as an order, %s between banks", n, ordered, uetr)
			}
		}
		if seen[uetr] || identifier.CheckUETR(uetr) != nil {
			t.Fatalf("UETR %s", uetr)
		}
		seen[uetr] = true
	}
	if shared < 1000 {
		t.Errorf("%d transfers are told both ways", shared)
	}
	_, other := told(t, messages.Pacs008, 2)
	for _, texts := range other {
		if len(texts) > 0 && seen[first(texts[0], "UETR")] {
			t.Fatal("another seed has the same UETR")
		}
	}
}

// checkXML checks that a message is well formed and its numbers are right.
func checkXML(tb testing.TB, text string) {
	tb.Helper()
	if strings.ContainsRune(text, '\n') {
		tb.Fatalf("two lines: %s", text)
	}
	tag := ""
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF { //nolint:errorlint // it comes as it is
			return
		}
		if err != nil {
			tb.Fatalf("%v: %s", err, text)
		}
		switch x := token.(type) {
		case xml.StartElement:
			tag = x.Name.Local
		case xml.CharData:
			err := error(nil)
			switch tag {
			case "IBAN":
				err = identifier.CheckIBAN(string(x))
			case "BICFI":
				err = identifier.CheckBIC(string(x))
			}
			if err != nil {
				tb.Fatal(err)
			}
		case xml.EndElement:
			tag = ""
		}
	}
}

// What a card did is a request and its answer; a reversal names the trace number
// of its authorisation.
func TestCards(t *testing.T) {
	t.Parallel()
	records, said := told(t, messages.ISO8583, 1)
	codec, types, traces, reversed := iso8583.New(), map[string]int{}, map[string]string{}, 0
	for n, texts := range said {
		ev := &records[n]
		kind := value(t, ev, "event_type").Str
		if value(t, ev, "card_token").Null || strings.Contains("chargeback_closed representment card_settlement", kind) {
			if len(texts) > 0 {
				t.Fatalf("event %d, %s, has messages", n, kind)
			}
			continue
		}
		if len(texts) != 2 {
			t.Fatalf("event %d, %s: %d messages", n, kind, len(texts))
		}
		var pair [2]iso8583.Message
		for i, text := range texts {
			if err := codec.Parse(&pair[i], []byte(text)); err != nil {
				t.Fatalf("event %d: %v: %s", n, err, text)
			}
			types[kind+" "+pair[i].Type().String()]++
		}
		checkPair(t, ev, &pair)
		reference := string(pair[0].Bytes(37))
		switch kind {
		case "card_authorisation":
			traces[reference] = string(pair[0].Bytes(11))
		case "card_reversal":
			if trace, ok := traces[reference]; ok {
				reversed++
				if got := string(pair[0].Bytes(90)[:10]); got != "0100"+trace {
					t.Errorf("a reversal of %s, its authorisation is 0100%s", got, trace)
				}
			}
		}
	}
	if len(types) != 12 || reversed < 20 {
		t.Errorf("%d reversals, types %v", reversed, types)
	}
}

func checkPair(tb testing.TB, ev *generators.Event, pair *[2]iso8583.Message) {
	tb.Helper()
	for i := range pair {
		m := &pair[i]
		amount, _ := m.Number(4)
		if amount != value(tb, ev, "amount_minor").Int || string(m.Bytes(102)) != value(tb, ev, "card_token").Str || m.Has(2) {
			tb.Fatalf("event %s: amount %d, card %s", ev.ID, amount, m.Bytes(102))
		}
	}
	request, answer := &pair[0], &pair[1]
	code := value(tb, ev, "response_code").Str
	if request.Type()+10 != answer.Type() || string(request.Bytes(11)) != string(answer.Bytes(11)) ||
		string(answer.Bytes(39)) != code || answer.Has(38) != (code == "00") {
		tb.Fatalf("event %s: %v and %v, code %s", ev.ID, request.Type(), answer.Type(), answer.Bytes(39))
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := messages.New("pacs009"); err == nil || !strings.Contains(fmt.Sprint(err), "pacs009") {
		t.Errorf("pacs009: %v", err)
	}
}
