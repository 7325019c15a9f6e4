package flow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Each file in testdata/refused says in its first lines what must be said of
// it, and marks the line that must be named.
func TestRefusedFlows(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		want, hint, here := strings.TrimPrefix(lines[0], "# want: "), strings.TrimPrefix(lines[1], "# hint: "), 0
		for i, line := range lines {
			if strings.HasSuffix(line, "# here") {
				here = i + 1
			}
		}
		f, err := Parse(file, text)
		if err == nil {
			t.Errorf("%s: accepted:\n%s", file, Describe(f))
			continue
		}
		if place := fmt.Sprintf("%s:%d: ", filepath.Base(file), here); !strings.HasPrefix(err.Error(), place) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s%s", file, err, place, want)
		}
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(fail.HintOf(err), hint) {
			t.Errorf("%s: code %d, hint %q, want %q", file, fail.CodeOf(err), fail.HintOf(err), hint)
		}
	}
}

const plain = `flow: plain
doc: A payment.
stream: payments
with: shop
channel: pos
abroad: 5%
start: {share: 10%}
amount: merchant
fee: 1% + 0.10 EUR
states:
  asked:
    doc: The terminal asks.
    next:
      - {to: refused, p: 2.5%}
      - {to: paid, after: 2h}
  refused:
    doc: No.
    emit: card_authorisation
    status: declined
    codes: {"05": 60, "51": 40}
    end: true
  paid:
    doc: Yes.
    emit: card_clearing
    status: settled
    post: {customer -> merchant: amount, merchant -> fees: fee}
    end: true
`

func TestRefusedWords(t *testing.T) {
	for name, c := range map[string]struct{ from, to, text, hint string }{
		"unknown key":          {"stream:", "steam:", `:3: unknown key "steam"`, `"stream"`},
		"unknown key of state": {"emit: card_c", "emits: card_c", `:24: unknown key "emits"`, `"emit"`},
		"unknown key of way":   {"p: 2.5%", "prob: 2.5%", `:14: unknown key "prob"`, "known keys here are after, p, times"},
		"no flow":              {"flow: plain\n", "", `key "flow" is missing`, "flow: card_payment"},
		"no doc":               {"doc: A payment.\n", "", `key "doc" is missing`, "sentence"},
		"no stream":            {"stream: payments\n", "", `key "stream" is missing`, "payments, orders"},
		"unknown stream":       {"stream: payments", "stream: payment", `:3: unknown stream "payment"`, `"payments"`},
		"unknown other side":   {"with: shop", "with: shops", `:4: unknown other side "shops"`, `"shop"`},
		"unknown channel":      {"channel: pos", "channel: telex", `:5: unknown channel "telex"`, "batch, pos"},
		"unknown event":        {"emit: card_clearing", "emit: card_cleering", `:24: unknown event of the stream payments "card_cleering"`, `"card_clearing"`},
		"event of another":     {"emit: card_clearing", "emit: loan_applied", `:24: unknown event of the stream payments "loan_applied"`, "known here are card_authorisation"},
		"unknown status":       {"status: settled", "status: setled", `:25: unknown status "setled"`, `"settled"`},
		"no status":            {"    status: settled\n", "", `:24: state "paid" has no status`, "approved"},
		"status without event": {"    emit: card_clearing\n", "", `:22: state "paid" says how its event looks, but emits none`, "emit:"},
		"unknown role":         {"customer -> merchant", "custmer -> merchant", `:26: unknown role "custmer"`, `"customer"`},
		"nobody's role":        {"customer -> merchant", "customer -> counterparty", `:26: nobody is the counterparty in a flow with shop`, "with: account"},
		"same role":            {"customer -> merchant", "customer -> customer", `:26: a posting from customer to customer moves nothing`, "different"},
		"not a posting":        {"customer -> merchant", "customer to merchant", `:26: "customer to merchant" is not a posting`, "customer -> merchant: amount"},
		"posts something":      {"merchant: amount", "merchant: 12", `:26: "12" cannot be posted`, "amount or fee"},
		"posting twice":        {"merchant -> fees: fee", "customer -> merchant: amount", `:26: "customer -> merchant" is there twice`, ""},
		"fee without law":      {"fee: 1% + 0.10 EUR\n", "", `:25: the flow has no fee`, "0.30 EUR"},
		"not a fee":            {"fee: 1% + 0.10 EUR", "fee: one", `:9: "one" is not a fee`, "1.2% + 0.30 EUR"},
		"free":                 {"fee: 1% + 0.10 EUR", "fee: 0%", `:9: "0%" is not a fee`, ""},
		"not an amount":        {"amount: merchant", "amount: lots", `:8: "lots" is not a law of an amount`, "lognormal(150 EUR, 1.3)"},
		"amount of nobody":     {"with: shop", "with: account", `there is no merchant whose amounts are meant`, "with: shop"},
		"amount of no parent":  {"amount: merchant", "amount: parent", `:8: a flow that begins by itself has no parent`, "take the start away"},
		"nothing abroad":       {"amount: merchant\n", "", `:6: there is no amount that could be in another currency`, "amount:"},
		"nothing to move":      {"abroad: 5%\nstart: {share: 10%}\namount: merchant\n", "", `state "paid" moves money, but the flow has no amount`, "amount:"},
		"not a share":          {"share: 10%", "share: ten", `:7: "ten" is not a share`, "share: 40%"},
		"bare share":           {"share: 10%", "share: 0.1", `:7: "0.1" is not a share`, "share: 40%"},
		"share above all":      {"share: 10%", "share: 101%", `:7: "101%" is not a share`, "at most 100 %"},
		"every without share":  {"share: 10%", "every: payday", `:7: every needs a share`, "share: 60%"},
		"begins when":          {"share: 10%", "when: rich", `:7: unknown reason to begin "rich"`, "insufficient_funds"},
		"every hour":           {"share: 10%", "share: 10%, every: 1h", `:7: "1h" is not a day of the month`, "payday"},
		"abroad above all":     {"abroad: 5%", "abroad: 105%", `:6: "105%" is not a share`, "abroad: 5%"},
		"bare probability":     {"p: 2.5%", "p: 0.025", `:14: "0.025" is not a probability`, "p: 2.5%"},
		"no probability":       {"p: 2.5%", "p: 0%", `:14: "0%" is not a probability`, "above 0 %"},
		"too fine":             {"p: 2.5%", "p: 2.50000001%", `:14: "2.50000001%" is not a probability`, ""},
		"unknown fact":         {"p: 2.5%", "when: insuficient_funds", `:14: unknown fact "insuficient_funds"`, `"insufficient_funds"`},
		"not a delay":          {"after: 2h", "after: soon", `:15: "soon" is not a delay`, "lognormal(18h, 0.5)"},
		"times":                {"p: 2.5%", "times: 256", `:14: 256 times is out of range`, "255"},
		"times of a word":      {"p: 2.5%", "times: some", `:14: states.asked.next[0].times must be a whole number`, "digits"},
		"way to nowhere":       {"to: refused, ", "", `a way out of state "asked" leads nowhere: key "to" is missing`, "next:"},
		"no doc of state":      {"doc: Yes.", "doc: ''", `:22: state "paid" has no doc`, "sentence"},
		"state of a list":      {"  refused:\n", "  refused: []\n  other:\n", `:16: states.refused must be keys with values`, ""},
		"doc of a list":        {"doc: Yes.", "doc: [Yes]", `:23: one word or text is needed here`, ""},
		"doc of keys":          {"doc: Yes.", "doc: {a: Yes}", `:23: one word or text is needed here`, ""},
		"codes of a list":      {`{"05": 60, "51": 40}`, "[51]", `:20: keys with values are needed here`, ""},
		"weight":               {`"05": 60`, `"05": most`, `:20: "most" is not the weight of a code`, "60"},
		"no weight":            {`"05": 60`, `"05": 0`, `:20: "0" is not the weight of a code`, "60"},
		"code":                 {`"05": 60`, `"too bad": 60`, `:20: "too bad" is not a code`, "capital"},
		"code twice":           {`"05": 60`, `"51": 60`, `:20: "51" is there twice`, ""},
		"state twice":          {"  paid:\n", "  refused:\n", `:22: state "refused" is there already, in line 16`, ""},
		"name of state":        {"  paid:\n", "  Paid up:\n", `:22: "Paid up" is not a name for a state`, "small letters"},
		"name of flow":         {"flow: plain", "flow: 7plain", `:1: "7plain" is not a name for a flow`, "small letters"},
		"part":                 {"    post:", "    amount: 0%\n    post:", `:26: "0%" is not a part of the amount`, "20%..100%"},
		"outcome":              {"    post:", "    tells: yes\n    post:", `:26: unknown outcome "yes"`, "succeeded, failed"},
		"anchor":               {"doc: Yes.", "doc: &a Yes.\n    <<: *a", "", ""},
		"two documents":        {"states:", "---\nstates:", "more than one document", "---"},
	} {
		text := strings.Replace(plain, c.from, c.to, 1)
		if text == plain {
			t.Fatalf("%s: the case changes nothing", name)
		}
		_, err := Parse("plain.yaml", []byte(text))
		if err == nil || fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), c.text) || !strings.Contains(fail.HintOf(err), c.hint) {
			t.Errorf("%s: %v, hint %q", name, err, fail.HintOf(err))
		}
	}
}

func TestRefusedSizes(t *testing.T) {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i, i+1)
		}
		return b.String()
	}
	state := "  s%d: {doc: A state., emit: transfer, status: settled, next: [{to: s%d, after: 1h}]}\n"
	last := "  s%d: {doc: The end., end: true} # %d\n"
	start, _, _ := strings.Cut(plain, "fee:")
	if _, err := Parse("x.yaml", []byte(start+"states:\n"+repeat(MaxStates-1, state)+fmt.Sprintf(last, MaxStates-1, 0))); err != nil {
		t.Errorf("%d states: %v", MaxStates, err)
	}
	for want, states := range map[string]string{
		"65 states are more than 64":    repeat(MaxStates, state) + fmt.Sprintf(last, MaxStates, 0),
		"17 ways out are more than 16":  "  a: {doc: A., next: [" + repeat(MaxNext+1, "{to: a, p: 1%%}, # %d %d\n") + "], end: true}\n",
		"33 codes are more than 32":     "  a: {doc: A., emit: transfer, status: settled, end: true, codes: {" + repeat(MaxCodes+1, "C%d: %d, ") + "}}\n",
		"the flow has no states":        "",
		`unknown role "r0"`:             "  a: {doc: A., post: {" + repeat(MaxPosts+1, "r%d -> s%d: amount, ") + "}, end: true}\n",
		`"a_` + strings.Repeat("b", 40): "  a_" + strings.Repeat("b", 40) + ": {doc: A., end: true}\n",
	} {
		if _, err := Parse("x.yaml", []byte(start+"states:\n"+states)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A flow that was understood can be described, and its runs end.
func FuzzParse(f *testing.F) {
	f.Add([]byte(plain))
	for _, name := range Shipped() {
		f.Add(Text(name))
	}
	files, _ := filepath.Glob("testdata/refused/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		flow, err := Parse("fuzz.yaml", text)
		if err != nil {
			if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" {
				t.Errorf("%v: code %d, hint %q", err, fail.CodeOf(err), fail.HintOf(err))
			}
			return
		}
		sum := 0.0
		for _, share := range flow.Ends(0) {
			sum += share
		}
		if sum < 1-1e-9 || sum > 1+1e-9 || Describe(flow) == "" || Mermaid(flow) == "" {
			t.Errorf("the shares of the ends sum up to %v", sum)
		}
	})
}
