package strict

import (
	"strings"
	"testing"

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
}

func TestDecode(t *testing.T) {
	var v target
	err := Decode([]byte("topic: a\nnested: {deadline: b}\nlist: [{name: c}]\nfree: {any: {key: d}}\n"), "x.yaml", &v)
	if err != nil || v.Topic != "a" || v.Nested.Deadline != "b" || v.List[0].Name != "c" || v.Free["any"].Key != "d" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"topik: a":                       {`x.yaml:1: unknown key "topik"`, `did you mean "topic"?`},
		"topic: a\nnested: {dedline: 1}": {`x.yaml:2: unknown key "dedline"`, `"deadline"`},
		"list:\n  - {nam: 1}":            {`x.yaml:2: unknown key "nam"`, `"name"`},
		"free: {any: {kee: 1}}":          {`unknown key "kee"`, `"key"`},
		"zzzzzzzzz: 1":                   {`unknown key "zzzzzzzzz"`, "known keys here are count, free"},
		"topic: a\ntopic: b":             {`x.yaml:2: key "topic" is there twice`, ""},
		"count: many":                    {"x.yaml:1: cannot unmarshal", ""},
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
