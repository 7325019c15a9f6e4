package loadtest

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/generators/flow"
	"github.com/lakeproof/lakeproof/generators/fraud"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/threshold"
)

// page is docs/scenarios.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example is a part of the page that is a scenario, or goes into one.
type example struct {
	text string
	path []string // of the key below which it stands
	flow bool
}

// sections says below which key the tables of a section stand.
func sections() map[string][]string {
	return map[string][]string{
		"The file": {}, "How fast": {}, "A rate that follows life": {"rate"}, "Streams": {"streams", "payments"},
		"The bank": {"world"}, "A schema that changes": {"streams", "payments"},
	}
}

// examples are those of the page: blocks, and the first cells of tables.
func examples(text string) []example {
	var out []example
	var block *example
	var at []string
	inTable := false
	for line := range strings.Lines(text) {
		switch heading, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); {
		case block != nil && strings.HasPrefix(line, "```"):
			out, block = append(out, *block), nil
		case block != nil:
			block.text += line
		case strings.HasPrefix(line, "```yaml"):
			block = &example{flow: strings.Contains(line, "flow")}
		case strings.HasPrefix(line, "#") && is:
			at, inTable = sections()[strings.TrimSpace(heading)]
		case inTable && strings.HasPrefix(line, "| `"):
			cell, _, _ := strings.Cut(line[3:], "` |")
			if strings.Contains(cell, ": ") {
				out = append(out, example{text: cell, path: at})
			}
		}
	}
	return out
}

// whole is a scenario with the example in it.
func (e example) whole(t *testing.T) string {
	t.Helper()
	var part map[string]any
	if err := yaml.Unmarshal(quoteKinds([]byte(e.text)), &part); err != nil {
		t.Fatalf("%s: %v", e.text, err)
	}
	if part["scenario"] != nil && len(part) > 1 {
		return e.text
	}
	for _, step := range slices.Backward(e.path) {
		part = map[string]any{step: part}
	}
	base := map[string]any{
		"scenario": "docs", "duration": "10m", "rate": "1000/s",
		"world":   map[string]any{"start": "2026-01-19T00:00:00Z", "speed": "x1440"},
		"streams": map[string]any{"payments": map[string]any{"key": "account_id", "table": "bronze.payments"}},
	}
	if slices.Equal(e.path, []string{"rate"}) {
		base["rate"] = map[string]any{"mean": "500/s"}
	}
	if part["rate"] != nil && reflect.TypeOf(part["rate"]) != reflect.TypeOf(base["rate"]) {
		delete(base, "rate")
	}
	text, err := yaml.Marshal(merge(base, part))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func merge(base, part map[string]any) map[string]any {
	out := maps.Clone(base)
	for key, value := range part {
		below, ok := value.(map[string]any)
		if old, is := out[key].(map[string]any); is && ok {
			out[key] = merge(old, below)
			continue
		}
		out[key] = value
	}
	return out
}

// TestDocsAreRight: every example of the page is a scenario, and can be planned.
func TestDocsAreRight(t *testing.T) {
	text := page(t)
	tested := 0
	for _, e := range examples(text) {
		tested++
		if e.flow {
			if _, err := flow.Load(flow.File{Name: "docs", Text: []byte(e.text)}); err != nil {
				t.Errorf("%v, hint %q", err, fail.HintOf(err))
			}
			continue
		}
		whole := e.whole(t)
		s, err := Parse("docs.yaml", []byte(whole))
		if err == nil {
			_, err = NewSketch(s, Overrides{})
		}
		if err != nil {
			t.Errorf("%s: %v, hint %q, in\n%s", e.text, err, fail.HintOf(err), whole)
		}
	}
	if tested < 55 {
		t.Errorf("only %d examples: the page was not read", tested)
	}
	for _, found := range regexp.MustCompile("`([a-z.0-9]+ (?:[<>=]=?|==) [^`]+)`").FindAllStringSubmatch(text, -1) {
		if _, err := threshold.Parse(found[1]); err != nil {
			t.Error(err)
		}
	}
	// The negative control: what is wrong on a page is found.
	bad := examples("## How fast\n\n| key | means |\n|---|---|\n| `rate: 5000/fortnight` | slow |\n")
	if len(bad) != 1 {
		t.Fatalf("the wrong example is not found: %v", bad)
	}
	if _, err := Parse("docs.yaml", []byte(bad[0].whole(t))); err == nil {
		t.Error("a wrong example is taken")
	}
}

// TestDocsNameEverything: keys, shipped scenarios and presets.
func TestDocsNameEverything(t *testing.T) {
	text := page(t)
	names, _ := fraud.Presets()
	for _, name := range append(names, Shipped()...) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not in docs/scenarios.md", name)
		}
	}
	keys := map[string]bool{}
	keysOf(reflect.TypeFor[file](), keys)
	if len(keys) < 60 || !keys["workday"] || !keys["max_held"] {
		t.Fatalf("only %d keys: %v", len(keys), keys)
	}
	for key := range keys {
		if !regexp.MustCompile("[`{ (]"+key+"[:`]").MatchString(text) && !strings.Contains(text, "\n"+key+":") {
			t.Errorf("key %s is not in docs/scenarios.md", key)
		}
	}
}

// keysOf are the keys of a type as they are written.
func keysOf(t reflect.Type, out map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		keysOf(t.Elem(), out)
	case reflect.Struct:
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && f.IsExported() {
				out[name] = true
				keysOf(f.Type, out)
			}
		}
	default:
	}
}
