//go:build e2e

package iso20022_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestXMLLint shows the messages to libxml2, and one message with a fault that
// it must find.
func TestXMLLint(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("no xmllint: install libxml2-utils")
	}
	dir := t.TempDir()
	files := map[string][]string{}
	bad := ""
	for n := range uint64(40) {
		for version, text := range messages(t, n) {
			name := filepath.Join(dir, version+"."+strings.Repeat("x", int(n))+".xml")
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			files[version] = append(files[version], name)
			if bad == "" {
				bad = filepath.Join(dir, "bad.xml")
				broken := strings.Replace(string(text), "<MsgId>", "<MsgId>123456789012345678901234567890123456", 1)
				if err := os.WriteFile(bad, []byte(broken), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := lint(t, xmllint, version, bad); err == nil || !strings.Contains(out, "maxLength") {
					t.Errorf("xmllint takes a message with a fault: %v\n%s", err, out)
				}
			}
		}
	}
	for version, names := range files {
		if out, err := lint(t, xmllint, version, names...); err != nil {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
}

func lint(t *testing.T, xmllint, version string, names ...string) (string, error) {
	args := append([]string{"--noout", "--nonet", "--schema", "testdata/" + version + ".xsd"}, names...)
	out, err := exec.CommandContext(t.Context(), xmllint, args...).CombinedOutput()
	return string(out), err
}
