package strict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeproof/lakeproof/internal/fail"
)

type target struct {
	Topic  string `yaml:"topic"`
	Count  int    `yaml:"count"`
	Nested struct {
		Deadline string `yaml:"deadline"`
	} `yaml:"nested"`
	List []struct {
		Name string `yaml:"name"`
	} `yaml:"list"`
	Free map[string]struct {
		Key string `yaml:"key"`
	} `yaml:"free"`
	Wait  time.Duration `yaml:"wait"`
	At    time.Time     `yaml:"at"`
	On    *bool         `yaml:"on"`
	Share float64       `yaml:"share"`
	Size  uint16        `yaml:"size"`
	Self  shout         `yaml:"self"`
}

// shout decodes itself, and so has its own errors.
type shout string

func (s *shout) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != strings.ToUpper(n.Value) || n.Tag != "!!str" {
		return fmt.Errorf("line %d: not a shout", n.Line)
	}
	*s = shout(n.Value)
	return nil
}

func TestDecode(t *testing.T) {
	var v target
	err := Decode([]byte("topic: a\nnested: {deadline: b}\nlist: [{name: c}]\nfree: {any: {key: d}}\n"+
		"wait: 3s\nat: 2026-01-01T00:00:00Z\non: true\nshare: 1\nsize: 7\nself: HO\ncount:\n"), "x.yaml", &v)
	if err != nil || v.Wait != 3*time.Second || v.At.Year() != 2026 || !*v.On || v.Share != 1 || v.Size != 7 || v.Self != "HO" || v.Topic != "a" || v.Nested.Deadline != "b" || v.List[0].Name != "c" || v.Free["any"].Key != "d" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"topik: a":                       {`x.yaml:1: unknown key "topik"`, `did you mean "topic"?`},
		"topic: a\nnested: {dedline: 1}": {`x.yaml:2: unknown key "dedline"`, `"deadline"`},
		"list:\n  - {nam: 1}":            {`x.yaml:2: unknown key "nam"`, `"name"`},
		"free: {any: {kee: 1}}":          {`unknown key "kee"`, `"key"`},
		"zzzzzzzzz: 1":                   {`unknown key "zzzzzzzzz"`, "known keys here are at, count, free"},
		"topic: a\ntopic: b":             {`x.yaml:2: key "topic" is there twice`, ""},
		"count: many":                    {"x.yaml:1: count must be a whole number", "digits"},
		"count: 99999999999999999999":    {"x.yaml:1: count must be a whole number in range", ""},
		"topic: [a]":                     {"x.yaml:1: topic must be one word or text", ""},
		"topic: a\nnested: hunter2":      {"x.yaml:2: nested must be keys with values", "indented"},
		"nested: {deadline: {a: b}}":     {"x.yaml:1: nested.deadline must be one word", ""},
		"list: hunter2":                  {"x.yaml:1: list must be a list", "dash"},
		"list: [hunter2]":                {"x.yaml:1: list[0] must be keys with values", ""},
		"free: {any: hunter2}":           {"x.yaml:1: free.any must be keys with values", ""},
		"hunter2":                        {"x.yaml:1: the file must be keys with values", ""},
		"wait: soon":                     {"x.yaml:1: wait must be a duration", "30s"},
		"at: noon":                       {"x.yaml:1: at must be a time", "2026"},
		"on: maybe":                      {"x.yaml:1: on must be true or false", ""},
		"share: half":                    {"x.yaml:1: share must be a number", ""},
		"size: -1":                       {"x.yaml:1: size must be a whole number in range, not below 0", ""},
		"self: 3":                        {"x.yaml:1: not a shout", ""},
		"":                               {"the file is empty", ""},
		"# only a comment":               {"the file is empty", ""},
		"topic: a\n---\ntopic: b":        {"more than one document", "---"},
		"topic: [":                       {"x.yaml:1:", ""},
		"topic: &a b\nnested: *a":        {"anchors", ""},
	} {
		var v target
		err := Decode([]byte(text), "x.yaml", &v)
		if fail.CodeOf(err) != fail.Usage || !strings.Contains(err.Error(), want[0]) || !strings.Contains(fail.HintOf(err), want[1]) {
			t.Errorf("%q: %v, hint %q; want %q", text, err, fail.HintOf(err), want)
		}
		if strings.Contains(err.Error()+fail.HintOf(err), "hunter2") {
			t.Errorf("%q: %v shows a value that may be a secret", text, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"topic", "partitions", "retention"}
	for word, want := range map[string]string{"topik": "topic", "TOPIC": "topic", "retension": "retention", "x": "", "weather": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("topic: a\nnested: {deadline: b}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v target
		if err := Decode(data, "fuzz.yaml", &v); err != nil && fail.CodeOf(err) != fail.Usage {
			t.Error(err)
		}
	})
}
