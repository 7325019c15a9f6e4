package loadtest

import (
	"errors"
	"fmt"
	"path"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// misplaced is an error of a key of a scenario, by its path in the file: the
// keys of mappings and the numbers of items.
type misplaced struct {
	path []string
	err  error
}

func (m *misplaced) Error() string { return m.err.Error() }
func (m *misplaced) Unwrap() error { return m.err }

// on says of which key an error is, below the one of which the caller says so.
func on(err error, path ...string) error {
	if err == nil {
		return nil
	}
	return &misplaced{path, err}
}

// places are the lines of a scenario's keys; the zero value knows none.
type places struct {
	name string
	root *yaml.Node
}

func newPlaces(name string, text []byte) places {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return places{}
	}
	return places{path.Base(name), doc.Content[0]}
}

// locate puts the file and the line before an error that is of a key.
func (p places) locate(err error) error {
	var at []string
	for e, m := err, (*misplaced)(nil); errors.As(e, &m); e = m.err {
		at = append(at, m.path...)
	}
	if p.root == nil || len(at) == 0 {
		return err
	}
	return fmt.Errorf("%s:%d: %w", p.name, p.line(at), err)
}

// line is the line of a key, or of the nearest one above it that is there.
func (p places) line(at []string) int {
	n, line := p.root, p.root.Line
	for _, step := range at {
		key, value := child(n, step)
		if value == nil {
			break
		}
		n, line = value, key.Line
	}
	return line
}

// child is what a key or a number leads to.
func child(n *yaml.Node, step string) (key, value *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
	default: // a value leads nowhere
	}
	return nil, nil
}
