package flow

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write README.md and the golden files anew")

const marker = "go test ./generators/flow -update -->\n"

// The second part of README.md shows the shipped flows as they are.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, have, ok := strings.Cut(string(text), marker)
	if !ok {
		t.Fatal("README.md has no marker")
	}
	var b strings.Builder
	b.WriteString("\n## The shipped flows\n")
	for _, f := range load(t).Flows {
		b.WriteString("\n### " + f.Name + "\n\n" + oneLine(f.Doc) + " Begins " + f.begins() + ". [The file](flows/" + f.Name + ".yaml).\n")
		b.WriteString("\n```mermaid\n" + Mermaid(f) + "```\n\nWhere its runs end: " + f.endings() + ".\n")
	}
	if have == b.String() {
		return
	}
	if !*update {
		t.Fatal("README.md is stale; run: go test ./generators/flow -update")
	}
	if err := os.WriteFile("README.md", []byte(head+marker+b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The example in README.md is a flow that works.
func TestReadmeExample(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md has no example")
	}
	if set := load(t, File{"gift_card.yaml", []byte(example)}); set.ByName("gift_card") == nil {
		t.Error("the example is not loaded")
	}
}

// README.md names every word that a file may use.
func TestReadmeNamesAllWords(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), marker)
	_, head, _ = strings.Cut(head, "## The flow\n")
	for _, words := range [][]string{streams(), withs(), channels(), roles(), facts(), outcomes()} {
		for _, w := range words {
			if w != "" && !strings.Contains(head, w) {
				t.Errorf("README.md does not name %s", w)
			}
		}
	}
}

// Mermaid has a grammar: a label must not hold a colon or a semicolon.
func TestMermaid(t *testing.T) {
	line := regexp.MustCompile(`^(stateDiagram-v2|  s\d+: [^:;]+|  (\[\*\]|s\d+) --> (\[\*\]|s\d+)(: [^:;]+)?)$`)
	for _, f := range load(t).Flows {
		for text := range strings.Lines(Mermaid(f)) {
			if !line.MatchString(strings.TrimSuffix(text, "\n")) {
				t.Errorf("%s: %q", f.Name, text)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	var b strings.Builder
	set := load(t)
	for _, name := range []string{"ecommerce_payment", "order", "salary", "loan"} {
		b.WriteString(Describe(set.ByName(name)) + "\n")
	}
	const golden = "testdata/describe.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != b.String() {
		t.Errorf("%s (go test ./generators/flow -update writes it): %v\n%s", golden, err, &b)
	}
}
