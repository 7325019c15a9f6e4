package fraud

import (
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Rates are how many of a million payments belong to a case of each typology, in
// the order of [All].
type Rates []float64

// preset is a published rate of crime, spread over typologies.
type preset struct {
	name, doc string
	ppm       map[string]float64
}

// presets: the sums are published, how they spread over the typologies is a
// guess of ours.
func presets() []preset {
	laundering := func(total float64) map[string]float64 {
		kinds := []string{
			"fan_in", "fan_out", "cycle", "bipartite", "stack", "gather_scatter", "scatter_gather", "random",
			"mule_chain", "structuring",
		}
		out := map[string]float64{}
		for _, k := range kinds {
			out[k] = total / float64(len(kinds))
		}
		return out
	}
	return []preset{
		{"none", "no crime", nil},
		{
			"eea-2023", "0.015 % of card payments and 0.003 % of transfers by number (EBA and ECB, first half of 2023)",
			map[string]float64{
				"card_testing": 45, "velocity": 32, "impossible_travel": 18, "bust_out": 10,
				"account_takeover": 3, "authorised_push_payment": 4,
			},
		},
		{"merchant-in-trouble", "one merchant of 50 has disputes above 1.5 % of its payments, where schemes step in", nil},
		{"aml-hi", "one payment of 900 launders money (AMLworld, high illicit: 1 of 981 to 1 of 807)", laundering(1111)},
		{"aml-li", "one payment of 1,850 launders money (AMLworld, low illicit: 1 of 1,950 to 1 of 1,750)", laundering(540)},
	}
}

// Presets returns the names of the presets, with what they stand for.
func Presets() (names, docs []string) {
	for _, p := range presets() {
		names, docs = append(names, p.name), append(docs, p.doc)
	}
	return names, docs
}

// Preset returns the rates of a preset.
func Preset(name string) (Rates, error) {
	for _, p := range presets() {
		if p.name == name {
			return NewRates(p.ppm)
		}
	}
	names, _ := Presets()
	hint := "use one of " + strings.Join(names, ", ")
	return nil, fail.New(fail.Usage, hint, "choosing the preset %q: there is none of that name", name)
}

// NewRates returns rates by name.
func NewRates(ppm map[string]float64) (Rates, error) {
	out := make(Rates, len(All()))
	for name, rate := range ppm {
		i, err := ByName(name)
		if err != nil {
			return nil, err
		}
		out[i] = rate
	}
	return out, nil
}
