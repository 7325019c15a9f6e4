package spark

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestList(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i, name := range []string{"offsets/9", "offsets/10", "offsets/11", "commits/9", "offsets/.9.crc"} {
		write(t, dir, name, "v1\n{}")
		stamp := at.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(filepath.Join(dir, name), stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(local(t), dir).List(t.Context())
	if err != nil || len(l.Planned) != 3 || len(l.Committed) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	if got, ok := l.Plan(10); !ok || !got.Equal(at.Add(time.Second)) {
		t.Errorf("batch 10 was planned at %v, %v", got, ok)
	}
	if got, ok := l.Commit(9); !ok || !got.Equal(at.Add(3*time.Second)) {
		t.Errorf("batch 9 was committed at %v, %v", got, ok)
	}
	if _, ok := l.Commit(10); ok {
		t.Error("the commit of batch 10 is noted")
	}
	if l.Last() != 10 { // batch 11 is planned, so 10 is committed
		t.Errorf("the last batch is %d", l.Last())
	}
}

func TestLast(t *testing.T) {
	notes := func(ids ...int64) (out []Note) {
		for _, id := range ids {
			out = append(out, Note{Batch: id})
		}
		return out
	}
	for _, test := range []struct {
		planned, committed []Note
		want               int64
	}{
		{nil, nil, -1},
		{notes(0), nil, -1},
		{notes(0), notes(0), 0},
		{notes(0, 1), notes(0), 0},
		{notes(4, 5), notes(3), 4},       // progress is tracked asynchronously
		{notes(58, 59), notes(58), 58},   // under way
		{notes(57, 58), notes(56), 57},   // commits/57 was removed by hand
		{notes(4), notes(4, 5), 5},       // planned and committed between the two listings
		{notes(3, 70), notes(2, 3), 3},   // plans left out
		{notes(3, 70), notes(2, 70), 70}, //
	} {
		if got := (Listing{test.planned, test.committed}).Last(); got != test.want {
			t.Errorf("planned %v, committed %v: %d, want %d", ids(test.planned), ids(test.committed), got, test.want)
		}
	}
}

// TestListIsBounded: a checkpoint that is not cleaned up costs its listing only.
func TestListIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range maxNotes + 50 {
		write(t, dir, fmt.Sprint("commits/", i), "v1\n{}")
	}
	l, err := Open(local(t), dir).List(t.Context())
	if err != nil || len(l.Committed) != maxNotes || l.Committed[0].Batch != 50 || l.Last() != maxNotes+49 {
		t.Errorf("%d notes, the last %d, %v", len(l.Committed), l.Last(), err)
	}
}
