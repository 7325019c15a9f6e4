package version

import (
	"runtime"
	"strings"
	"testing"
)

func TestGet(t *testing.T) {
	i := Get()
	if i.Version == "" || i.Go != runtime.Version() || !strings.HasPrefix(i.Platform, runtime.GOOS) {
		t.Errorf("%+v", i)
	}
}

func TestString(t *testing.T) {
	i := Info{Version: "v1.2.3", Go: "go1.26", Platform: "linux/amd64", Revision: "abc", Time: "2026-01-01T00:00:00Z", Modified: true}
	want := "lakeproof v1.2.3\n  go:       go1.26\n  platform: linux/amd64\n  revision: abc (2026-01-01T00:00:00Z)\n  modified: true\n"
	if i.String() != want {
		t.Errorf("%q", i.String())
	}
	if text := (Info{Version: "devel"}).String(); strings.Contains(text, "revision") || strings.Contains(text, "modified") {
		t.Errorf("%q", text)
	}
}
