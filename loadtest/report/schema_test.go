package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const schemaFile = "../../docs/report.schema.json"

// schema is the part of JSON Schema 2020-12 that the report needs, in the order
// in which it is written.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	ID          string             `json:"$id,omitempty"`
	Title       string             `json:"title,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Const       any                `json:"const,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Type        any                `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

// maker makes the schema from the Go types and their comments, so that the
// published page cannot differ from what is written.
type maker struct {
	comments map[string]string // by type, or type.field
	defs     map[string]*schema
}

func newMaker(t *testing.T) *maker {
	t.Helper()
	m := &maker{map[string]string{}, map[string]*schema{}}
	file, err := parser.ParseFile(token.NewFileSet(), "report.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.TypeSpec)
			m.comments[spec.Name.Name] = line1(g.Doc)
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					m.comments[spec.Name.Name+"."+f.Names[0].Name] = line1(f.Comment)
				}
			}
		}
	}
	return m
}

func line1(g *ast.CommentGroup) string { return strings.Join(strings.Fields(g.Text()), " ") }

func (m *maker) of(t reflect.Type) *schema {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[Number]():
		return &schema{Type: []string{"number", "null"}}
	case reflect.TypeFor[Verdict]():
		return &schema{Enum: []string{string(Pass), string(Fail), string(Inconclusive), string(Interrupted)}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := m.of(t.Elem())
		s.Type = []string{s.Type.(string), "null"}
		return s
	case reflect.Slice, reflect.Array:
		return &schema{Type: "array", Items: m.of(t.Elem())}
	case reflect.Struct:
		m.object(t)
		return &schema{Ref: "#/$defs/" + t.Name()}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.Uint64:
		return &schema{Type: "integer", Minimum: new(int)}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return &schema{Type: "integer"}
	}
	panic("a kind that report.json has not: " + t.String())
}

func (m *maker) object(t reflect.Type) {
	if m.defs[t.Name()] != nil {
		return
	}
	s := &schema{Type: "object", Description: m.comments[t.Name()], Properties: map[string]*schema{}}
	m.defs[t.Name()] = s
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := m.of(f.Type)
		if strings.Contains(options, "string") { // an id beyond what JavaScript counts exactly
			p = &schema{Type: "string", Format: "int64"}
		}
		p.Description = m.comments[t.Name()+"."+f.Name]
		s.Properties[name] = p
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
}

// TestSchemaIsPublished compares docs/report.schema.json with the types.
func TestSchemaIsPublished(t *testing.T) {
	m := newMaker(t)
	root := m.of(reflect.TypeFor[Report]())
	top := m.defs["Report"]
	top.Properties["schema_version"] = &schema{Const: SchemaVersion, Description: "changes when a key is renamed, removed or given another meaning; new keys do not change it"}
	for name, values := range map[string][]string{
		"Threshold": {"ok", "missed", "no_data"}, "Tier": {"clean", "dirty", "sampled", "not possible"}, "Hop": {"up", "down"},
	} {
		m.defs[name].Properties["state"].Enum = values
	}
	root.Schema, root.ID = "https://json-schema.org/draft/2020-12/schema", "https://github.com/lakeproof/lakeproof/blob/main/docs/report.schema.json"
	root.Title, root.Defs = "lakeproof report.json, schema version "+SchemaVersion, m.defs
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, out.Bytes())
	for name := range m.comments {
		if typ, _, field := strings.Cut(name, "."); field && m.defs[typ] != nil && m.comments[typ] == "" {
			t.Errorf("type %s has no comment, and so no description", typ)
		}
	}
}

// TestReportsObeyTheSchema checks every example against the published file, and
// that the check can fail.
func TestReportsObeyTheSchema(t *testing.T) {
	m := newMaker(t)
	root := m.of(reflect.TypeFor[Report]())
	root.Defs = m.defs
	for name, r := range samples() {
		data, err := JSON(r)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if wrong := root.check(root, "report", v); len(wrong) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(wrong, "\n"))
		}
		durationsAreSeconds(t, name, v)
		for spoil, want := range map[string]func(){
			"report.verdict":         func() { v["verdict"] = "perhaps" },
			"report.records":         func() { v["records"] = nil },
			"report.hops":            func() { delete(v, "hops") },
			"report.records.missing": func() { v["records"] = map[string]any{"missing": -1.0} },
		} {
			want()
			if wrong := strings.Join(root.check(root, "report", v), "\n"); !strings.Contains(wrong, spoil) {
				t.Errorf("a spoilt %s goes unnoticed: %s", spoil, wrong)
			}
		}
	}
}

// check returns what in v is against the schema.
func (s *schema) check(root *schema, at string, v any) (wrong []string) {
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].check(root, at, v)
	}
	if text, ok := v.(string); len(s.Enum) > 0 && (!ok || !slices.Contains(s.Enum, text)) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is none of %v", at, v, s.Enum))
	}
	if s.Type != nil && !strings.Contains(fmt.Sprint(s.Type), kindOf(v, s.Type)) {
		return append(wrong, fmt.Sprintf("%s: %v is no %v", at, v, s.Type))
	}
	switch v := v.(type) {
	case float64:
		if s.Minimum != nil && v < float64(*s.Minimum) {
			wrong = append(wrong, fmt.Sprintf("%s: %v is below %d", at, v, *s.Minimum))
		}
	case []any:
		for i, e := range v {
			wrong = append(wrong, s.Items.check(root, fmt.Sprintf("%s[%d]", at, i), e)...)
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, at+"."+name+": is required")
			}
		}
		for name, e := range v {
			p, ok := s.Properties[name]
			if !ok {
				wrong = append(wrong, at+"."+name+": is not in the schema")
				continue
			}
			wrong = append(wrong, p.check(root, at+"."+name, e)...)
		}
	}
	return wrong
}

func kindOf(v, wanted any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if wanted == "integer" && v == float64(int64(v)) || strings.Contains(fmt.Sprint(wanted), "integer") {
			return "integer"
		}
	}
	return "number"
}

// durationsAreSeconds checks that no key speaks of another unit of time.
func durationsAreSeconds(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if _, text := e.(string); strings.HasSuffix(name, "_seconds") && text {
				t.Errorf("%s.%s is a text", at, name)
			}
			for _, other := range []string{"_ms", "_us", "_ns", "_millis", "_minutes"} {
				if strings.HasSuffix(name, other) {
					t.Errorf("%s.%s is not in seconds", at, name)
				}
			}
			durationsAreSeconds(t, at+"."+name, e)
		}
	case []any:
		for i, e := range v {
			durationsAreSeconds(t, fmt.Sprintf("%s[%d]", at, i), e)
		}
	}
}
