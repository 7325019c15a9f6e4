// Package strict decodes YAML that people write: every key must be known and
// every value of the right type, and an error says where, and what was
// probably meant.
//
// A document flows through it twice: first as a tree whose keys are compared
// with the fields of the target, then into the target itself.
//
// It does not validate values: ranges and relations are their owner's.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Decode decodes one YAML document into a pointer to a struct. The name is only
// for messages. Errors are fail.Usage.
func Decode(data []byte, name string, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && (len(doc.Content) == 0 || doc.Content[0].Tag == "!!null") {
		return fail.New(fail.Usage, "write at least one key; the documentation has examples", "%s: the file is empty", name)
	}
	if err != nil {
		return syntax(name, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fail.New(fail.Usage, "keep one document in the file: remove what follows ---",
			"%s: more than one document", name)
	}
	w := walker{name: name}
	w.walk(doc.Content[0], reflect.TypeOf(into).Elem(), "", 0)
	if w.err != nil {
		return w.err
	}
	if err := doc.Decode(into); err != nil {
		return syntax(name, err)
	}
	return nil
}

// syntax makes a YAML error one line that begins with the file.
func syntax(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if types, ok := errors.AsType[*yaml.TypeError](err); ok {
		text = strings.Join(types.Errors, "; ")
	}
	if line, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": "); ok && strings.HasPrefix(text, "line ") {
		return fail.New(fail.Usage, "correct the value", "%s:%s: %s", name, line, rest)
	}
	return fail.New(fail.Usage, "correct the file", "%s: %s", name, text)
}

// maxDepth bounds the nesting of a document.
const maxDepth = 50

// walker compares the keys of a document with the fields of a type, and the
// form of each value with what the field holds.
type walker struct {
	name string
	err  error
}

func (w *walker) refuse(n *yaml.Node, hint, format string, args ...any) {
	if w.err == nil {
		w.err = fail.New(fail.Usage, hint, "%s:%d: %s", w.name, n.Line, fmt.Sprintf(format, args...))
	}
}

// walk compares the value at a path of keys with a type.
func (w *walker) walk(n *yaml.Node, t reflect.Type, at string, depth int) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if depth > maxDepth {
		w.refuse(n, "nest less", "nested more than %d levels deep", maxDepth)
	}
	if w.err != nil {
		return
	}
	if n.Kind == yaml.AliasNode {
		w.refuse(n, "write the value out", "anchors and aliases are not used here")
		return
	}
	switch {
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		w.mapping(n, fields(t), at, depth)
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			w.walk(n.Content[i+1], t.Elem(), join(at, n.Content[i].Value), depth+1)
		}
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			w.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i), depth+1)
		}
	case !fits(n, t):
		what, hint := form(t)
		if at == "" {
			at = "the file"
		}
		w.refuse(n, hint, "%s must be %s", at, what)
	}
}

// fits reports whether a value of no further structure can be decoded into the
// type. A type that decodes itself has errors of its own; no value is a zero.
func fits(n *yaml.Node, t reflect.Type) bool {
	reads := reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]())
	if reads || n.Tag == "!!null" || t.Kind() == reflect.Interface {
		return true
	}
	return n.Decode(reflect.New(t).Interface()) == nil
}

// form says in words what a type holds, and how it is written. The refused
// value is in neither: it may be a secret at the wrong place.
func form(t reflect.Type) (what, hint string) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration", "write 30s, 5m or 2h"
	case t == reflect.TypeFor[time.Time]():
		return "a time", "write 2026-01-01T00:00:00Z"
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "keys with values", "write the keys below it, indented, each as key: value"
	case reflect.Slice, reflect.Array:
		return "a list", "write [a, b], or one item a line, each after a dash"
	case reflect.Bool:
		return "true or false", "write true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number in range", "write digits only"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number in range, not below 0", "write digits only"
	case reflect.Float32, reflect.Float64:
		return "a number", "write a number, such as 0.5"
	default:
		return "one word or text", "write one value, in quotes where it holds : # { or ["
	}
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func (w *walker) mapping(n *yaml.Node, known map[string]reflect.Type, at string, depth int) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		t, ok := known[key.Value]
		switch {
		case !ok:
			w.refuse(key, suggestion(key.Value, names), "unknown key %q", key.Value)
		case seen[key.Value]:
			w.refuse(key, "keep one of them", "key %q is there twice", key.Value)
		default:
			w.walk(value, t, join(at, key.Value), depth+1)
		}
		seen[key.Value] = true
	}
}

func suggestion(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known keys here are " + strings.Join(known, ", ")
}

// fields returns the YAML keys of a struct.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case strings.Contains(options, "inline"):
			maps.Copy(out, fields(f.Type))
		case name != "":
			out[name] = f.Type
		}
	}
	return out
}

// Nearest returns the known word that is most like the given one, or "" when
// none is like it.
func Nearest(word string, known []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := levenshtein(strings.ToLower(word), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// levenshtein is the least number of letters to insert, delete or change.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
