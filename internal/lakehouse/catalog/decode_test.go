package catalog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func FuzzDecodeTable(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/load*.json")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"metadata":{"format-version":2,"table-uuid":"u","snapshots":null,"current-snapshot-id":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := decodeTable(bytes.NewReader(data))
		if (table == nil) == (err == nil) {
			t.Fatalf("table %v, error %v", table, err)
		}
		if err != nil {
			return
		}
		if _, ok := table.Current(); ok != (table.CurrentSnapshotID != nil) {
			t.Fatalf("current snapshot %v is not there", table.CurrentSnapshotID)
		}
	})
}

func TestDecodeVariants(t *testing.T) {
	const head = `{"metadata":{"format-version":2,"table-uuid":"u"`
	for body, ok := range map[string]bool{
		head + `}}`:                          true,
		head + `,"current-snapshot-id":-1}}`: true,
		head + `,"current-snapshot-id":null,"snapshots":null,"properties":null,"snapshot-log":null}}`:                                   true,
		head + `,"schemas":[{"fields":[{"id":1,"name":"s","type":{"type":"struct","fields":[]}}]}]}}`:                                   true,
		head + `,"snapshots":[{"snapshot-id":5,"parent-snapshot-id":-1,"timestamp-ms":1}],"current-snapshot-id":5},"config":{"a":[1]}}`: true,
		head + `,"current-snapshot-id":5}}`:   false,
		head + `,"current-snapshot-id":"5"}}`: false,
		head + `,"snapshots":{}}}`:            false,
		head + `,"snapshots":[{}]}}`:          false,
		head + `,"properties":[]}}`:           false,
		`{"metadata":{"format-version":2}}`:   false,
		`{"metadata":null}`:                   false,
		`[]`:                                  false,
		`{}`:                                  false,
	} {
		table, err := decodeTable(strings.NewReader(body))
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
		if err != nil || table.CurrentSnapshotID == nil {
			continue
		}
		if s, there := table.Current(); !there || s.ParentID != nil {
			t.Errorf("%s: current = %+v", body, s)
		}
	}
}

// TestDecodeKeepsLittle shows that what is not kept is not held in memory.
func TestDecodeKeepsLittle(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"metadata":{"format-version":2,"table-uuid":"u","metadata-log":[`)
	for i := range 200_000 {
		fmt.Fprintf(&b, `{"timestamp-ms":%d,"metadata-file":"s3://lake/warehouse/bronze/payments/metadata/%d.metadata.json"},`, i, i)
	}
	b.WriteString(`{}]}}`)
	text := b.String()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table, err := decodeTable(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(table)
	runtime.KeepAlive(text)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d bytes are held after decoding %d bytes that are not kept", grown, len(text))
	}
}
