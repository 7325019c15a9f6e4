package flow

import (
	"cmp"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// file is a flow as it is written.
type file struct {
	Flow    word       `yaml:"flow"`
	Doc     word       `yaml:"doc"`
	Stream  word       `yaml:"stream"`
	With    word       `yaml:"with"`
	Channel word       `yaml:"channel"`
	Abroad  word       `yaml:"abroad"`
	Start   fileStart  `yaml:"start"`
	Amount  word       `yaml:"amount"`
	Fee     word       `yaml:"fee"`
	States  fileStates `yaml:"states"`
}

type fileStart struct {
	Share word `yaml:"share"`
	Every word `yaml:"every"`
	When  word `yaml:"when"`
}

// fileStates are the states by their names.
type fileStates map[string]fileState

type fileState struct {
	Doc     word       `yaml:"doc"`
	Emit    word       `yaml:"emit"`
	Status  word       `yaml:"status"`
	Channel word       `yaml:"channel"`
	Codes   fileWords  `yaml:"codes"`
	Release bool       `yaml:"release"`
	Amount  word       `yaml:"amount"`
	Hold    bool       `yaml:"hold"`
	Post    fileWords  `yaml:"post"`
	Tells   word       `yaml:"tells"`
	Starts  word       `yaml:"starts"`
	End     bool       `yaml:"end"`
	Next    []fileNext `yaml:"next"`

	name word
}

// fileWords are words by words: postings and what they move, codes and weights.
type fileWords map[string]pair

type fileNext struct {
	To    word `yaml:"to"`
	P     word `yaml:"p"`
	When  word `yaml:"when"`
	After word `yaml:"after"`
	Times int  `yaml:"times"`
}

// word is a value without structure, and where it stands. It is an array so that
// it is decoded as a value, whatever its parts.
type word [1]scalar

type scalar struct {
	text         string
	line, column int
}

func (w word) text() string { return w[0].text }
func (w word) line() int    { return w[0].line }
func (w word) given() bool  { return w[0].line > 0 }

// before orders words as they stand in the file.
func before(a, b word) int {
	return cmp.Or(cmp.Compare(a[0].line, b[0].line), cmp.Compare(a[0].column, b[0].column))
}

func at(n *yaml.Node) word { return word{{n.Value, n.Line, n.Column}} }

// UnmarshalYAML takes the text as it is written: 05 stays 05.
func (w *word) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: one word or text is needed here, not keys or a list", n.Line)
	}
	*w = at(n)
	return nil
}

// pair is a key and its value.
type pair [1]struct{ key, value word }

// UnmarshalYAML takes the value; the key is filled in by the mapping.
func (p *pair) UnmarshalYAML(n *yaml.Node) error { return p[0].value.UnmarshalYAML(n) }

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *fileWords) UnmarshalYAML(n *yaml.Node) error {
	*f = fileWords{}
	return each(n, func(key word, value *yaml.Node) error {
		p := pair{{key: key}}
		if _, twice := (*f)[key.text()]; twice {
			return fmt.Errorf("line %d: %q is there twice", key.line(), key.text())
		}
		err := value.Decode(&p)
		(*f)[key.text()] = p
		return err
	})
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (f *fileStates) UnmarshalYAML(n *yaml.Node) error {
	*f = fileStates{}
	return each(n, func(key word, value *yaml.Node) error {
		s := fileState{}
		if first, twice := (*f)[key.text()]; twice {
			return fmt.Errorf("line %d: state %q is there already, in line %d", key.line(), key.text(), first.name.line())
		}
		err := value.Decode(&s)
		s.name = key
		(*f)[key.text()] = s
		return err
	})
}

// each calls take for the pairs of a mapping.
func each(n *yaml.Node, take func(key word, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: keys with values are needed here, each as key: value", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a key is one word", key.Line)
		}
		if err := take(at(key), n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// sorted returns the states as they stand in the file.
func (f fileStates) sorted() []fileState {
	out := make([]fileState, 0, len(f))
	for _, s := range f {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b fileState) int { return before(a.name, b.name) })
	return out
}

// sorted returns the pairs as they stand in the file.
func (f fileWords) sorted() []pair {
	out := make([]pair, 0, len(f))
	for _, p := range f {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b pair) int { return before(a[0].key, b[0].key) })
	return out
}
