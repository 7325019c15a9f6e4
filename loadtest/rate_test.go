package loadtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/generators/bank"
	"github.com/lakeproof/lakeproof/generators/calendar"
	"github.com/lakeproof/lakeproof/internal/fail"
)

const living = `scenario: test
duration: 10m
rate:
  mean: 500/s
  curve: retail
  paydays:
    - {day: 25, factor: 1.4, days: 3, workday: true}
  holidays: {sunday: true, factor: 0.7}
  growth: 1%
  bursts:
    - {at: "Fri 18:00", x: 8, for: 10m}
world:
  customers: 1000
  merchants: 100
  start: 2026-01-19T00:00:00Z
  speed: x1008
  fraud: {shares: {fan_in: 0.1%}}
streams:
  payments:
    source: bank.payments
    key: account_id
    table: bronze.payments
    evolve:
      - {at: 1m, add: {wallet_id: string?}}
      - {at: 200000, remove: [terminal_id], compatible: true}
`

func parse2(t *testing.T, text string) (Scenario, error) {
	t.Helper()
	s, err := Parse("folder/living.yaml", []byte(text))
	if err == nil {
		_, err = NewSketch(s, Overrides{})
	}
	return s, err
}

func TestRateIsRead(t *testing.T) {
	text := strings.Replace(living, "      - {at: 200000, remove: [terminal_id], compatible: true}\n", "", 1)
	s, err := parse2(t, text)
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	c, ok := s.Schedule.Curve()
	if !ok || c.Speed != 1_008_000 || c.For != 10*time.Minute || c.Rate.Mean != 500 || c.Rate.Curve != "retail" ||
		c.Rate.Growth != 0.01 || *c.Rate.Holidays != (calendar.Holidays{Sunday: true, Factor: 0.7}) ||
		c.Rate.Paydays[0] != (calendar.Payday{Day: 25, Factor: 1.4, Days: 3, Workday: true}) ||
		c.Rate.Bursts[0] != (calendar.Burst{At: "Fri 18:00", Factor: 8, For: 10 * time.Minute}) ||
		len(c.Rate.Zones) != len(bank.Zones()) {
		t.Errorf("%+v", c)
	}
	short, err := parse2(t, strings.NewReplacer(
		"growth: 1%", "growth: 0.01", "  paydays:\n    - {day: 25, factor: 1.4, days: 3, workday: true}\n", "  payday: 1.4\n", "{sunday: true, factor: 0.7}", "0.7",
		"x: 8", "x: x8").Replace(text))
	if err != nil {
		t.Fatal(err, fail.HintOf(err))
	}
	if short.Schedule.String() != s.Schedule.String() || short.Schedule.Count() != s.Schedule.Count() || short.Schedule.At(7777) != s.Schedule.At(7777) {
		t.Errorf("the short form is another: %v, %v", short.Schedule, s.Schedule)
	}
}

// TestBadLife: whatever is wrong is told with its line, and what to write.
func TestBadLife(t *testing.T) {
	for change, want := range map[string]string{
		// The rate.
		"mean: 500/s=>maen: 500/s":              `4: unknown key "maen"|did you mean "mean"?`,
		"mean: 500/s=>mean: 0/s":                `4: .*a mean of 0 events a second|500`,
		"mean: 500/s=>mean: fast":               `4: .*"fast" is not a rate`,
		"  mean: 500/s\n=>":                     `3: key "mean" is missing|mean: 500/s`,
		"mean: 500/s=>mean: 10000000000/s":      `a mean of|10,000,000`,
		"mean: 500/s=>mean: 5000000/s":          `3: the rate goes up to [0-9e.+]+/s, a record each [0-9.]+ ns: no clock reaches more than 10,000,000/s|lower`,
		"mean: 500/s=>ramp: {from: 1/s}":        `3: rate is two things at once|keep one`,
		"curve: retail=>curve: retial":          `5: .*there is no curve "retial"|did you mean "retail"?`,
		"curve: retail=>curve: [1, 2, 3]":       `5: .*a curve of 3 hours|24 weights`,
		"curve: retail=>curve: {a: b}":          `5: curve is a name`,
		"day: 25=>day: 32":                      `7: .*a payday on day 32|1 to 31`,
		"day: 25=>dya: 25":                      `7: unknown key "dya"|day`,
		"factor: 1.4=>factor: high":             `7: "high" is not a factor`,
		"factor: 1.4=>factor: -1":               `7: .*a factor of -1`,
		"days: 3=>days: 99":                     `7: .*lasts 99 days`,
		"workday: true=>workday: maybe":         `7: rate.paydays\[0\].workday must be true or false`,
		"  paydays:=>  payday: 1.2\n  paydays:": `7: payday and paydays at once`,
		"factor: 0.7=>factor: 7000":             `8: .*holidays: a factor of 7000`,
		"sunday: true=>sonday: true":            `8: unknown key "sonday"|sunday`,
		"growth: 1%=>growth: lots":              `9: "lots" is no growth`,
		"growth: 1%=>growth: -80%":              `9: .*a growth of -0.8 a day`,
		"Fri 18:00=>Fry 18:00":                  `11: .*when a burst begins, "Fry 18:00"|Fri 18:00`,
		"x: 8, =>":                              `11: a burst without a factor|x: 8`,
		"for: 10m=>for: 10 minutes":             `11: "10 minutes" is not a duration`,
		"for: 10m=>for: 0s":                     `11: .*lasts 0s`,
		"x: 8, =>x: 8, zone: Berlin, ":          `11: .*"Berlin"|Europe/Berlin`,
		"Fri 18:00=>2026-03-01":                 `11: the burst at "2026-03-01" lasts 10m0s and touches no moment of the run, which is from Mon 2026-01-19 00:00 UTC to Mon 2026-01-26 00:00 UTC|move`,
		"duration: 10m\n=>":                     `2: duration 0s is not positive|duration`,
		"x1008=>x1000000":                       `3: a curve over 19.0 years of the world: more than 10|shorter`,
		// The world.
		"  start: 2026-01-19T00:00:00Z\n=>":         `3: a curve is of days and hours|world: {start:`,
		"2026-01-19T00:00:00Z=>tomorrow":            `15: world.start must be a time`,
		"2026-01-19T00:00:00Z=>1726-01-19":          `out of range|2000 to 2149`,
		"speed: x1008=>speed: fast":                 `16: reading clock "fast"|x60`,
		"customers: 1000=>customers: 12":            `13: world: 12 customers|200`,
		"customers: 1000=>custmers: 1000":           `13: unknown key "custmers"|customers`,
		"merchants: 100=>merchants: -4":             `14: world: -4 merchants`,
		"fan_in: 0.1%=>fan_inn: 0.1%":               `17: choosing typology "fan_inn"|fan_in`,
		"{shares: {fan_in: 0.1%}}=>{preset: ee}":    `17: choosing the preset "ee"|eea-2023`,
		"fan_in: 0.1%=>fan_in: 19%":                 `17: fraud: in [0-9,]+ payments are at least fan_in [0-9,]+ cases of [0-9]+: [0-9,]+ members, and there are 1,000 customers|raise world.customers to`,
		"  speed:=>  flows: nowhere.yaml\n  speed:": `16: reading the flows: open folder/nowhere.yaml|folder of the scenario`,
		// What happens on the way.
		"at: 1m=>at: never":                                                 `24: "never" is not a time of a change: write 6h`,
		"at: 1m=>at: 0":                                                     `24: "0" is not a time of a change`,
		"at: 1m, =>":                                                        `24: stream "payments": a change that does not say when|at: 6h`,
		"at: 1m=>at: 11m":                                                   `23: .*beyond the run|longer`,
		"at: 200000=>at: 99999999":                                          `23: .*beyond the run of [0-9]+ slots|earlier`,
		"string?=>strin?":                                                   `24: field "wallet_id" has the kind "strin\?": did you mean "string"\?`,
		`string?=>"strin?"`:                                                 `24: field "wallet_id" has the kind "strin\?": did you mean "string"\?`,
		"{wallet_id: string?}=>[wallet_id]":                                 `24: streams.payments.evolve\[0\].add\[0\] must be keys with values`,
		"remove: [terminal_id]=>remove: [merchant]":                         `25: .*there is no field "merchant"`,
		"remove: [terminal_id]=>remove: [amount_minor]":                     `25: .*is declared compatible: true, but it is false|compatible: false`,
		"remove: [terminal_id]=>retype: {terminal_id: long?}":               `25: .*cannot become nullable|leave`,
		"add: {wallet=>rename: {wallet":                                     `24: .*there is no field "wallet_id"`,
		"    evolve:=>    format: avro\n    evolve:":                        `24: .*a schema that changes, in format avro|format: json`,
		"key: account_id=>key: amount_minor":                                `21: key "amount_minor"|text field`,
		"source: bank.payments=>source: bank.paymets":                       `20: choosing a stream of the bank: there is no "paymets"|payments`,
		"    key:=>    share: -1\n    key:":                                 `21: stream "payments": share -1`,
		"    key:=>    partitions: -1\n    key:":                            `21: stream "payments": -1 partitions`,
		"bronze.payments=>payments":                                         `22: stream "payments": table "payments"|namespace.table`,
		"    evolve:=>    faults: {late: {p: 1%, delay: 20m}}\n    evolve:": `23: checking late: a delay of .*20m.* in a run of 10m0s: most of them would never be sent|longer`,
		"streams:=>thresholds: [records.mising == 0]\nstreams:":             `18: .*unknown metric|records.missing`,
		"streams:=>warmup: 20m\nstreams:":                                   `18: warmup 20m0s is not within`,
		"streams:=>producer: {compression: rar}\nstreams:":                  `18: producer: compression "rar"|zstd`,
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.Replace(living, from, to, 1)
		if text == living {
			t.Fatalf("%s changes nothing", change)
		}
		_, err := parse2(t, text)
		want, hint, _ := strings.Cut(want, "|")
		if err == nil || fail.CodeOf(err) != fail.Usage {
			t.Errorf("%q: %v", change, err)
			continue
		}
		line := ""
		if len(want) > 2 && want[0] >= '0' && want[0] <= '9' {
			line = `living.yaml:`
		}
		if !regexp.MustCompile(line+want).MatchString(err.Error()) || !strings.Contains(fail.HintOf(err), hint) || fail.HintOf(err) == "" {
			t.Errorf("%q:\n got %v\nhint %q\nwant %s, %s", change, err, fail.HintOf(err), want, hint)
		}
	}
}

// TestFlowsOfOnesOwn: a file beside the scenario takes the place of a shipped
// flow; what is wrong in it is told with its own line.
func TestFlowsOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const own = `flow: gift
doc: Somebody gives money to somebody.
stream: payments
with: account
channel: mobile_app
start: {share: 100%}
amount: lognormal(20 EUR, 0.5)
states:
  asked:
    doc: It is asked for.
    next:
      - {to: given, after: 5s}
  given:
    doc: It is done.
    emit: transfer
    status: settled
    post: {customer -> counterparty: amount}
    end: true
`
	scenario := strings.Replace(plain, "streams: {payments: {", "world: {customers: 500, flows: own.yaml}\nstreams: {payments: {source: bank.payments, key: account_id, ", 1)
	name := write("scenario.yaml", scenario)
	for change, want := range map[string]string{
		"":                       "",
		"to: given=>to: gvien":   `own.yaml:12: .*"gvien"`,
		"after: 5s=>after: soon": `own.yaml:12: `,
		"  given:=>  lost:\n    doc: No way.\n    emit: transfer\n    status: settled\n    end: true\n  given:": `own.yaml:13: .*"lost"`,
		"{to: given, after: 5s}=>{to: asked, after: 5s}":                                                        `own.yaml:`,
	} {
		from, to, _ := strings.Cut(change, "=>")
		write("own.yaml", strings.Replace(own, from, to, 1))
		s, err := Load(name)
		if want == "" {
			if err != nil || len(s.World.Flows) != 1 {
				t.Errorf("good flows: %v, hint %q", err, fail.HintOf(err))
			}
			continue
		}
		if err == nil || fail.CodeOf(err) != fail.Usage || fail.HintOf(err) == "" || !regexp.MustCompile(want).MatchString(err.Error()) ||
			!strings.Contains(err.Error(), "scenario.yaml:5") {
			t.Errorf("%s: got %v, hint %q, want %s", change, err, fail.HintOf(err), want)
		}
	}
}

// TestBurstsTouch: the edges of a run on clocks around the world.
func TestBurstsTouch(t *testing.T) {
	for at, want := range map[string]bool{
		"18:00": true, "Mon 03:00": true, "Sun 18:00": true, // in America it is still Sunday
		"Wed 12:00": false, "2026-01-05": true, "2026-01-06": true, // in Asia it is Tuesday already
		"2026-01-08": false, "2025-12-01": false, "2026-01-04": false, "2026-01-04 18:00": true,
	} {
		text := strings.NewReplacer("2026-01-19", "2026-01-05", "duration: 10m", "duration: 1m25s", "Fri 18:00", at,
			"    evolve:\n", "", "      - {at: 1m, add: {wallet_id: string?}}\n", "",
			"      - {at: 200000, remove: [terminal_id], compatible: true}\n", "").Replace(living)
		if _, err := parse2(t, text); (err == nil) != want {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	for change, want := range map[string]string{
		"x=>x":                             "",
		"mean: 500/s=>mean: 1/s":           "735 payments of 1,000 customers in 168h0m0s of the world are",
		"customers: 1000=>customers: 200":  "are .* events a day for each; 1 to 50 is usual",
		"speed: x1008=>speed: x2":          "a card payment is cleared after some 18 hours",
		"source: bank.payments=>source: p": "",
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.NewReplacer("    evolve:\n", "", "      - {at: 1m, add: {wallet_id: string?}}\n", "",
			"      - {at: 200000, remove: [terminal_id], compatible: true}\n", "", "  bursts:\n", "", `    - {at: "Fri 18:00", x: 8, for: 10m}`+"\n", "").Replace(living)
		s, err := Parse("living.yaml", []byte(strings.Replace(text, from, to, 1)))
		if err != nil {
			t.Fatal(change, err, fail.HintOf(err))
		}
		if want == "" {
			continue
		}
		p, err := NewSketch(s, Overrides{})
		if err != nil {
			t.Fatal(err, fail.HintOf(err))
		}
		if got := strings.Join(p.Warnings(), "; "); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %q, want %q", change, got, want)
		}
	}
}
