//go:build !nolab

package lab

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go/table"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/internal/fail"
)

func TestParseSabotage(t *testing.T) {
	got, err := ParseSabotage(" drop=3, duplicate=5,corrupt=2,delay=4,foreign=1")
	want := Sabotage{Drop: 3, Duplicate: 5, Corrupt: 2, Delay: 4, Foreign: 1}
	if err != nil || got != want || got.Total() != 15 {
		t.Fatalf("got %+v (%v), want %+v", got, err, want)
	}
	if s := got.String(); s != "drop=3,duplicate=5,corrupt=2,delay=4,foreign=1" {
		t.Errorf("it prints as %q", s)
	}
	if none, err := ParseSabotage(""); err != nil || none != (Sabotage{}) {
		t.Errorf("no text is %+v (%v)", none, err)
	}
}

func TestParseSabotageRefuses(t *testing.T) {
	for text, hint := range map[string]string{
		"dorp=3":        `did you mean "drop"?`,
		"duplicates=1":  `did you mean "duplicate"?`,
		"delays=1":      `did you mean "delay"?`,
		"drop":          "write it like drop=3,duplicate=5",
		"drop=x":        "give a whole number from 0 to 1000000",
		"drop=-1":       "give a whole number from 0 to 1000000",
		"drop=9999999":  "give a whole number from 0 to 1000000",
		"drop=1,drop=2": "give each kind once",
		"drop=1,":       "write it like drop=3,duplicate=5",
	} {
		_, err := ParseSabotage(text)
		if fail.CodeOf(err) != fail.Usage || fail.HintOf(err) != hint {
			t.Errorf("%q: %v, hint %q, code %d; want hint %q", text, err, fail.HintOf(err), fail.CodeOf(err), hint)
		}
	}
}

func FuzzParseSabotage(f *testing.F) {
	f.Add("drop=3,duplicate=5")
	f.Add("=,=")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSabotage(text)
		if err != nil {
			return
		}
		if again, err := ParseSabotage(s.String()); err != nil || again != s {
			t.Errorf("%q is %+v, but prints as %q, which is %+v (%v)", text, s, s.String(), again, err)
		}
	})
}

func TestSaboteurHitsExactlyAsManyAsAsked(t *testing.T) {
	for _, expected := range []uint64{0, 1, 20, 1000} {
		s := Sabotage{Drop: 3, Duplicate: 5, Corrupt: 2, Delay: 4, Foreign: 1}
		b := newSaboteur(s, expected, 7)
		got := make(map[Kind]int)
		for range max(expected, 30, defaultExpected) {
			if kind := b.take(); kind != "" {
				got[kind]++
			}
		}
		want := map[Kind]int{Drop: 3, Duplicate: 5, Corrupt: 2, Delay: 4, Foreign: 1}
		if !maps.Equal(got, want) {
			t.Errorf("with %d records expected: %v, want %v", expected, got, want)
		}
	}
}

func TestForeignIdentifiersAreNobodys(t *testing.T) {
	b := newSaboteur(Sabotage{Foreign: 1}, 0, 1)
	key := generators.NewKey(testRun)
	versions := make(map[byte]int)
	for range 1000 {
		id := b.foreignID()
		versions[id[6]>>4]++
		if _, _, ok := key.Open(id); ok {
			t.Fatalf("%s opens as one of ours", id)
		}
	}
	if versions[4] == 0 || versions[8] == 0 || len(versions) != 2 {
		t.Errorf("versions are %v, want 4 and 8", versions)
	}
}

// TestSabotageIsExact compares the table with what was sent: the differences
// must be the truth that the lab tells, and nothing else.
func TestSabotageIsExact(t *testing.T) {
	opts := testOptions(t)
	opts.Sabotage = Sabotage{Drop: 7, Duplicate: 6, Corrupt: 5, Delay: 4, Foreign: 3}
	opts.ExpectedRecords = 4000
	opts.DelayFor = 700 * time.Millisecond
	opts.SabotageSeed = 99
	l := startTestLab(t, opts)
	p := newProducer(t, l, 3)
	for range 4 {
		p.payments(1000)
	}
	flush(t, l)

	truth := make(map[Kind][]string)
	places := make(map[string][2]int64)
	for _, a := range l.Sabotaged() {
		truth[a.Kind] = append(truth[a.Kind], a.EventID.String())
		places[a.EventID.String()] = [2]int64{int64(a.Partition), a.Offset}
		if a.Topic != testTopic {
			t.Errorf("an act on topic %q", a.Topic)
		}
	}
	tbl := loadThroughREST(t, l, testTable)
	found := differences(scan(t, tbl), p.wanted(4000), places, t)
	found[Delay] = lateRows(t, tbl, opts.DelayFor)
	for kind, count := range opts.Sabotage.counts() {
		slices.Sort(truth[kind])
		slices.Sort(found[kind])
		if len(truth[kind]) != *count {
			t.Errorf("%d of kind %s happened, want %d", len(truth[kind]), kind, *count)
		}
		if !slices.Equal(found[kind], truth[kind]) {
			t.Errorf("the table shows %d records for %s, which are not the %d of the truth: %.200s, %.200s",
				len(found[kind]), kind, len(truth[kind]), strings.Join(found[kind], " "), strings.Join(truth[kind], " "))
		}
	}
}

// differences finds what is missing, doubled, changed or foreign, and checks
// that each row claims the place of the truth.
func differences(rows []row, want map[string]int64, places map[string][2]int64, t *testing.T) map[Kind][]string {
	t.Helper()
	found := make(map[Kind][]string)
	seen := make(map[string]bool)
	for _, r := range rows {
		amount, ours := want[r.id]
		switch {
		case !ours:
			found[Foreign] = append(found[Foreign], r.id)
		case seen[r.id]:
			found[Duplicate] = append(found[Duplicate], r.id)
		case amount != r.amount:
			found[Corrupt] = append(found[Corrupt], r.id)
		}
		seen[r.id] = true
		if at, ok := places[r.id]; ok && at != [2]int64{int64(r.partition), r.offset} {
			t.Errorf("row %s is at %d/%d, the truth is %v", r.id, r.partition, r.offset, at)
		}
	}
	for id := range want {
		if !seen[id] {
			found[Drop] = append(found[Drop], id)
		}
	}
	return found
}

// lateRows finds the rows that were taken in later than others around them on
// the topic.
func lateRows(t *testing.T, tbl *table.Table, by time.Duration) []string {
	t.Helper()
	_, records, err := tbl.Scan(table.WithSelectedFields("event_id", colPartition, colOffset, colIngestTS)).ToArrowRecords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type arrival struct {
		id           string
		offset, time int64
	}
	arrivals := make(map[int32][]arrival)
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			p := rec.Column(1).(*array.Int32).Value(i)
			arrivals[p] = append(arrivals[p], arrival{
				strings.Clone(rec.Column(0).(*array.String).Value(i)),
				rec.Column(2).(*array.Int64).Value(i), int64(rec.Column(3).(*array.Timestamp).Value(i)),
			})
		}
	}
	var late []string
	for _, list := range arrivals {
		slices.SortFunc(list, func(a, b arrival) int { return int(b.offset - a.offset) })
		earliest := list[0].time // of all rows behind
		for _, a := range list {
			if a.time-earliest >= by.Microseconds() {
				late = append(late, a.id)
			}
			earliest = min(earliest, a.time)
		}
	}
	return late
}
