package lab

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/config/strict"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// Sabotage says how many records the engine loses, doubles, alters, holds back
// and invents: the negative control of whoever looks for such faults.
type Sabotage struct {
	Drop      int // lost: read, but never written
	Duplicate int // written twice
	Corrupt   int // written with one field of the content changed
	Delay     int // written in a later batch, after [Options.DelayFor]
	Foreign   int // rows that no record stands behind
}

// Total is the number of records that are not treated as they should be.
func (s Sabotage) Total() int { return s.Drop + s.Duplicate + s.Corrupt + s.Delay + s.Foreign }

// counts returns the five counts by their kinds.
func (s *Sabotage) counts() map[Kind]*int {
	return map[Kind]*int{Drop: &s.Drop, Duplicate: &s.Duplicate, Corrupt: &s.Corrupt, Delay: &s.Delay, Foreign: &s.Foreign}
}

// Kind is one way to treat a record wrongly.
type Kind string

// The kinds, named as in the argument of [ParseSabotage].
const (
	Drop      Kind = "drop"
	Duplicate Kind = "duplicate"
	Corrupt   Kind = "corrupt"
	Delay     Kind = "delay"
	Foreign   Kind = "foreign"
)

// Kinds returns all kinds, in the order in which they are documented.
func Kinds() []Kind { return []Kind{Drop, Duplicate, Corrupt, Delay, Foreign} }

// Act is one record that was treated wrongly, and is part of the truth that a
// report has to find. Of a foreign row, EventID is the invented identifier and
// the place is where it claims to come from.
type Act struct {
	Kind      Kind
	Topic     string
	Partition int32
	Offset    int64
	EventID   generators.ID128
}

// maxSabotage bounds one count; nobody reads longer lists of examples.
const maxSabotage = 1_000_000

// ParseSabotage reads "drop=3,duplicate=5,corrupt=2,delay=4,foreign=1"; kinds
// left out are 0, and an empty text is no sabotage.
func ParseSabotage(text string) (Sabotage, error) {
	var s Sabotage
	if strings.TrimSpace(text) == "" {
		return s, nil
	}
	seen := make(map[Kind]bool)
	for item := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(item, "=")
		kind := Kind(strings.TrimSpace(key))
		if !ok {
			return Sabotage{}, fail.New(fail.Usage, "write it like drop=3,duplicate=5",
				"reading sabotage %q: %q has no number", text, item)
		}
		count, known := s.counts()[kind]
		if !known {
			return Sabotage{}, fail.New(fail.Usage, suggestion(string(kind)),
				"reading sabotage %q: unknown kind %q", text, kind)
		}
		if seen[kind] {
			return Sabotage{}, fail.New(fail.Usage, "give each kind once", "reading sabotage %q: %q is there twice", text, kind)
		}
		seen[kind] = true
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < 0 || n > maxSabotage {
			return Sabotage{}, fail.New(fail.Usage, fmt.Sprintf("give a whole number from 0 to %d", maxSabotage),
				"reading sabotage %q: %q is not a number of records", text, value)
		}
		*count = n
	}
	return s, nil
}

// String is the text that [ParseSabotage] reads; kinds without records are
// left out.
func (s Sabotage) String() string {
	var parts []string
	for _, kind := range Kinds() {
		if n := *s.counts()[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", kind, n))
		}
	}
	return strings.Join(parts, ",")
}

// suggestion says which kind was probably meant.
func suggestion(word string) string {
	known := make([]string, 0, len(Kinds()))
	for _, kind := range Kinds() {
		known = append(known, string(kind))
	}
	if near := strict.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the kinds are " + strings.Join(known, ", ")
}
