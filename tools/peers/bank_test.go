package peers

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jacoelho/xsd"
	moov "github.com/moov-io/iso8583"

	"github.com/lakeproof/lakeproof/generators/iso20022"
)

// TestBank lets the product make the messages of a bank, a line each, and shows
// them to the same readers.
func TestBank(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "lakeproof")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/lakeproof")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	readers := map[string]func([]byte) error{
		"iso8583": func(text []byte) error { return moov.NewMessage(spec()).Unpack(text) },
	}
	for format, version := range map[string]string{
		"pacs008": iso20022.Pacs008, "pain001": iso20022.Pain001, "camt053": iso20022.Camt053,
	} {
		engine, err := xsd.Compile(xsd.File("../../generators/iso20022/testdata/" + version + ".xsd"))
		if err != nil {
			t.Fatal(err)
		}
		readers[format] = func(text []byte) error { return engine.Validate(bytes.NewReader(text)) }
	}
	for format, read := range readers {
		stream, count := "bank.payments", "20000"
		if format == "camt053" {
			stream, count = "bank.ledger", "30000"
		}
		out, err := exec.CommandContext(t.Context(), binary, "generate", stream, "--count", count, "--format", format).Output()
		if err != nil {
			t.Fatal(err)
		}
		messages := 0
		for line := range bytes.Lines(out) {
			if err := read(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
				t.Fatalf("%s: %v: %s", format, err, line)
			}
			if messages++; messages == 1 && read(line[:len(line)*2/3]) == nil {
				t.Errorf("%s: a message that is cut off passes", format)
			}
		}
		if messages < 2000 {
			t.Errorf("%s: only %d messages", format, messages)
		}
	}
}
