package messages_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/bank/messages"
	"github.com/lakeproof/lakeproof/generators/flow"
)

// Each statement of an account begins with what the one before ended with, and in
// the end all accounts have what the ledger booked.
func TestStatements(t *testing.T) {
	t.Parallel()
	flows, err := flow.Load()
	if err != nil {
		t.Fatal(err)
	}
	const start, days = 1_767_571_200_000_000, 10
	ledger, err := bank.Follow(bank.Config{
		Seed: 1, Customers: 500, Merchants: 100, Flows: flows, Start: start,
		Clocks: map[flow.Stream]bank.Clock{flow.Payments: even{start, 60_000_000}},
	}, "ledger", start+days*86_400_000_000, start+days*86_400_000_000)
	if err != nil {
		t.Fatal(err)
	}
	s, err := messages.NewStatements()
	if err != nil {
		t.Fatal(err)
	}
	schema := ledger.Schema()
	ev, booked := generators.NewEvent(schema), map[string]int64{}
	closing, last, statements := map[string]int64{}, "", 0
	see := func(texts [][]byte) {
		for _, text := range texts {
			checkXML(t, string(text))
			id, ok := messages.AccountOf(text)
			message := first(string(text), "MsgId")
			if message <= last || !ok || !strings.HasSuffix(message, "-"+string(id)) {
				t.Fatalf("statement %s after %s, of account %s", message, last, id)
			}
			last = message
			statements++
			opening, end := balances(t, string(text))
			if before, known := closing[string(id)]; known && before != opening {
				t.Fatalf("statement %s begins with %d after %d", message, opening, before)
			}
			closing[string(id)] = end
		}
	}
	for !ledger.Ended() {
		part, from, n := ledger.Next(1000)
		for seq := from; seq < from+uint64(n); seq++ {
			part.Fill(ev, seq, 0)
			of := func(name string) generators.Value { return ev.Values[schema.Index(name)] }
			booked[of("debit_account_id").Str] -= of("amount_minor").Int
			booked[of("credit_account_id").Str] += of("amount_minor").Int
			texts, _, err := s.Add(messages.Payment{Event: ev, Seq: seq, Parties: part.(messages.Parties)}) //nolint:forcetypeassert // it is
			if err != nil {
				t.Fatal(err)
			}
			see(texts)
		}
	}
	texts, at, err := s.Close()
	if err != nil || at != start+days*86_400_000_000-1 {
		t.Fatalf("%v, the last day ends at %d", err, at)
	}
	see(texts)
	for id, end := range closing {
		if booked[id] != end {
			t.Errorf("account %s ends with %d, booked are %d", id, end, booked[id])
		}
	}
	if len(closing) < 450 || statements < 2000 {
		t.Errorf("%d statements of %d accounts", statements, len(closing))
	}
}

// balances are what a statement begins and ends with.
func balances(tb testing.TB, text string) (opening, closing int64) {
	tb.Helper()
	for i, code := range []string{"OPBD", "CLBD"} {
		_, rest, _ := strings.Cut(text, code)
		_, rest, _ = strings.Cut(rest, "\">")
		amount, rest, _ := strings.Cut(rest, "<")
		n, err := strconv.ParseInt(strings.Replace(amount, ".", "", 1), 10, 64)
		if err != nil {
			tb.Fatal(fmt.Errorf("%s of %s: %w", code, text, err))
		}
		if strings.HasPrefix(rest, "/Amt><CdtDbtInd>DBIT") {
			n = -n
		}
		if i == 0 {
			opening = n
		} else {
			closing = n
		}
	}
	return opening, closing
}
