package realism

import (
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// The limits of what is kept, unless [Options] say less. A stream that fills
// them costs about 350 MB, and twice as much while a table grows; one of a
// million records and 100,000 accounts costs about 100 MB. Beyond a limit the
// measure goes on with a sample of the keys or accounts, chosen by their hash,
// and says so.
const (
	DefaultKeys      = 1 << 23 // event ids: 134 MB
	DefaultAccounts  = 1 << 20 // 100 MB
	DefaultMerchants = 1 << 19 // 12 MB
	DefaultEdges     = 1 << 20 // pairs of account and counterparty: 50 MB
	maxCells         = 1 << 14 // types times categories times currencies
	maxCases         = 1 << 17 // of fraud
	maxDays          = 4096
	maxTypes         = 64 // with a histogram of their own
	maxTexts         = 4
	maxNumbers       = 4
)

// Options say what the stream is and what it was meant to be.
type Options struct {
	Source string // what the report calls the stream
	Expect Expect

	Roles      map[string]Role // by type; nil means DefaultRoles
	Declined   []string        // statuses; nil means declined, rejected, refused and failed, whatever their case
	NotPresent []string        // channels without the card; nil means ecommerce, online, moto and cnp
	Validators []Validator
	Texts      []string // names of Record.Texts, at most 4
	Numbers    []string // names of Record.Numbers, at most 4

	MaxKeys, MaxAccounts, MaxMerchants, MaxEdges int // 0 means the default
}

// Validator checks one kind of identifier. An empty text is no identifier and
// is not counted.
type Validator struct {
	Name  string // "IBAN"
	Of    func(*Record) string
	Valid func(string) bool
}

// Expect is what the stream was configured to be. What is left zero is held
// against the published figure, or not measured where there is none.
type Expect struct {
	TypeMix  map[string]float64 // weight of each type
	Sigma    map[string]float64 // of the logarithm of amounts, by "type" or "type/mcc"
	Hours    []float64          // 24 weights of the customer's local hours
	Weekdays []float64          // 7 weights, Monday first
	// Rate, if any, goes before Hours and Weekdays: the weight of a moment of the
	// customers' clocks, in microseconds since midnight of 1 January 1970 there.
	Rate func(local int64) float64
	// Settled is from when the hours and weekdays hold, in microseconds: a bank that
	// has just opened has nothing to settle yet, and room for more purchases.
	Settled int64
	Paydays []int   // days of the month, -1 is the last; without any, days with income are an account's own
	Zipf    float64 // exponent of the merchants' popularity

	OutDegree, InDegree float64 // exponents of the payment graph
	Multiplicity        float64 // mean number of payments of a pair that has any

	FraudVolume, FraudValue float64  // shares of the records and of the money
	FraudTypes              []string // that the shares are of; nil means all
	FraudCase               float64  // mean size of a fraud's case, at least; else as seen
	Chargeback              float64  // share of purchases without the card
	Decline                 float64  // share of attempts

	Independent, Dependent [][2]string // pairs of columns; nil means the defaults

	AmountMin, AmountMax int64 // bounds of amounts in minor units
	From, To             int64 // bounds of times in microseconds
}

// columnNames are the columns whose dependence is measured, before those of
// Options.Texts.
func columnNames() []string {
	return []string{
		"type", "status", "channel", "mcc", "currency", "country",
		"hour", "weekday", "month day", "week", "minute", "amount", "digit",
	}
}

// independent are the pairs that have nothing to do with each other in any bank:
// minutes know no merchant category, and the calendar hardly any.
func independent() [][2]string {
	return [][2]string{
		{"minute", "type"},
		{"minute", "mcc"},
		{"minute", "channel"},
		{"minute", "country"},
		{"minute", "status"},
		{"minute", "amount"},
		{"minute", "hour"},
		{"week", "mcc"},
		{"week", "amount"},
		{"week", "country"},
		{"weekday", "digit"},
		{"hour", "digit"},
		{"status", "digit"},
	}
}

// dependent are the pairs that go together in every bank.
func dependent() [][2]string {
	return [][2]string{{"type", "channel"}, {"mcc", "amount"}, {"currency", "country"}}
}

// check says what is wrong with the options.
func (o *Options) check() error {
	e := &o.Expect
	switch {
	case len(o.Texts) > maxTexts || len(o.Numbers) > maxNumbers:
		return fail.New(fail.Usage, "see realism.Options", "measuring %s: at most %d further texts and %d numbers",
			o.Source, maxTexts, maxNumbers)
	case len(e.Hours) != 0 && len(e.Hours) != hoursOfDay:
		return fail.New(fail.Usage, "give one weight for each hour", "measuring %s: %d hours, not 24", o.Source, len(e.Hours))
	case len(e.Weekdays) != 0 && len(e.Weekdays) != daysOfWeek:
		return fail.New(fail.Usage, "give one weight for each day from Monday on",
			"measuring %s: %d weekdays, not 7", o.Source, len(e.Weekdays))
	}
	for _, share := range []float64{e.FraudVolume, e.FraudValue, e.Chargeback, e.Decline} {
		if !(share >= 0 && share < 1) {
			return fail.New(fail.Usage, "0.015 % is 0.00015", "measuring %s: share %v is not from 0 to 1", o.Source, share)
		}
	}
	if err := o.checkWeights(); err != nil {
		return err
	}
	known := append(columnNames(), o.Texts...)
	for _, p := range slices.Concat(e.Independent, e.Dependent) {
		for _, name := range p {
			if !slices.Contains(known, name) {
				return fail.New(fail.Usage, "use one of "+strings.Join(known, ", "), "measuring %s: no column %q", o.Source, name)
			}
		}
	}
	return nil
}

// checkWeights refuses weights that no stream can follow.
func (o *Options) checkWeights() error {
	weights := func(what string, all []float64) error {
		sum := 0.0
		for _, w := range all {
			if !(w >= 0 && w < 1e15) {
				return fail.New(fail.Usage, "weights are numbers from 0 up", "measuring %s: %s: weight %v", o.Source, what, w)
			}
			sum += w
		}
		if len(all) > 0 && sum == 0 {
			return fail.New(fail.Usage, "give at least one weight above 0",
				"measuring %s: %s: all weights are 0", o.Source, what)
		}
		return nil
	}
	mix := []float64{}
	for _, name := range sortedKeys(o.Expect.TypeMix) {
		mix = append(mix, o.Expect.TypeMix[name])
	}
	if err := weights("hours", o.Expect.Hours); err != nil {
		return err
	}
	if err := weights("weekdays", o.Expect.Weekdays); err != nil {
		return err
	}
	return weights("type mix", mix)
}

// withDefaults fills what was left open.
func (o Options) withDefaults() Options {
	if o.Roles == nil {
		o.Roles = DefaultRoles()
	}
	if o.Declined == nil {
		o.Declined = []string{"declined", "rejected", "refused", "failed"}
	}
	if o.NotPresent == nil {
		o.NotPresent = []string{"ecommerce", "online", "moto", "cnp"}
	}
	if o.Expect.Independent == nil {
		o.Expect.Independent = independent()
	}
	if o.Expect.Dependent == nil {
		o.Expect.Dependent = dependent()
	}
	for _, l := range []struct {
		limit *int
		most  int
	}{
		{&o.MaxKeys, DefaultKeys},
		{&o.MaxAccounts, DefaultAccounts},
		{&o.MaxMerchants, DefaultMerchants},
		{&o.MaxEdges, DefaultEdges},
	} {
		if *l.limit <= 0 {
			*l.limit = l.most
		}
	}
	return o
}

// seed selects which records the reservoirs keep; any value would do, as long
// as it is always the same.
const seed generators.Seed = 0x7265616c69736d

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
