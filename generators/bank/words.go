package bank

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/market"
)

// words are the texts of records that belong to nobody in particular.
type words struct {
	deliveries, documents, risks, purposes []string
	instruments                            []market.Instrument
	popular                                generators.Alias // which instrument is traded
}

func newWords() *words {
	w := &words{
		deliveries: []string{"standard", "standard", "standard", "express", "pickup_point", "collect"},
		documents:  []string{"identity_card", "identity_card", "passport", "residence_permit", "driving_licence"},
		risks:      []string{"low", "medium", "high"},
		purposes: []string{
			"car", "car", "car", "furniture", "furniture", "renovation", "renovation", "refinancing", "travel", "studies",
			"wedding", "medical", "other",
		},
		instruments: market.Instruments(),
	}
	w.popular = generators.NewAlias(generators.Zipf(len(w.instruments))...)
	return w
}

// pick maps random bits to one of some words.
func pick(words []string, random uint64) string {
	return words[generators.Below(random, uint64(len(words)))]
}

// deviceOf is the customer's device, if an event shows one.
func (r *renderer) deviceOf(s *look, e *Event) generators.Value {
	if s.shows&showDevice == 0 {
		return none()
	}
	return str(r.device(e.Account))
}

// why is the code of an event, where its state has any.
func (r *renderer) why(e *Event) generators.Value {
	if codes := r.m.states[e.State].Codes; len(codes) > 0 {
		return str(codes[e.Code])
	}
	return none()
}
