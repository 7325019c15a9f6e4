package loadtest

import (
	"fmt"
	"strings"

	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// snapshots are those of a stream's table.
type snapshots struct {
	topic, table string
	dead         *ledger.Account // knows which offsets lead to no row; nil: all lead to one
}

// tier is tier T0 of one stream: each snapshot's added rows against the offsets
// of the Spark batch that made it. It reads no data.
func (n *snapshots) tier(seen []sighting, doubled []string) ledger.Tier {
	t := ledger.Tier{Name: "T0", State: ledger.Clean}
	batches := map[string]sighting{} // query id and batch
	for _, s := range seen {
		if s.Kind == "batch" {
			batches[batchKey(s.QueryID, fmt.Sprint(s.Batch))] = s
		}
	}
	matched, foreign, wrong := n.match(seen, batches)
	t.Rows = uint64(matched)
	t.Detail = fmt.Sprintf("%d snapshots match their batch's offsets", matched)
	if foreign > 0 {
		t.Detail += fmt.Sprintf(", %d name no known batch", foreign)
	}
	wrong = append(wrong, doubled...)
	switch {
	case len(wrong) > 0:
		t.State = ledger.Dirty
		t.Detail += "; " + strings.Join(wrong[:min(len(wrong), 5)], "; ")
		if len(wrong) > 5 {
			t.Detail += fmt.Sprintf("; and %d more", len(wrong)-5)
		}
	case matched == 0:
		t.State = ledger.NotPossible
		t.Detail = "no snapshot names a batch of a checkpoint in the lab: only that no data file is live twice was checked"
	}
	return t
}

// match holds the table's snapshots against their batches.
func (n *snapshots) match(seen []sighting, batches map[string]sighting) (matched, foreign int, wrong []string) {
	done := map[string]int64{}
	for _, s := range seen {
		if s.Kind != "snapshot" || s.Hop != n.table {
			continue
		}
		key := batchKey(s.Summary["spark.sql.streaming.queryId"], s.Summary["spark.sql.streaming.epochId"])
		b, ok := batches[key]
		want, known := n.rows(b)
		added, says := addedRows(s)
		switch {
		case !ok || !known || !says:
			foreign++
		case done[key] != 0:
			wrong = append(wrong, fmt.Sprintf("batch %d is in snapshots %d and %d", b.Batch, done[key], s.SnapshotID))
		case added != want:
			wrong = append(wrong, fmt.Sprintf("snapshot %d added %d rows, batch %d holds %d offsets",
				s.SnapshotID, added, b.Batch, want))
		default:
			matched++
		}
		if ok {
			done[key] = s.SnapshotID
		}
	}
	return matched, foreign, wrong
}

func batchKey(query, batch string) string { return query + " " + batch }

// rows is how many rows the offsets of the topic in a batch lead to.
func (n *snapshots) rows(b sighting) (int64, bool) {
	ends, ok := b.Ends[n.topic]
	if !ok || b.Starts[n.topic] == nil {
		return 0, false
	}
	var rows int64
	for p, end := range ends {
		start := b.Starts[n.topic][p]
		rows += end - start
		if n.dead != nil {
			rows -= n.dead.Graves(p, start, end)
		}
	}
	return rows, true
}

func addedRows(s sighting) (int64, bool) {
	var n int64
	text, ok := s.Summary["added-records"]
	if !ok { // a commit without rows says nothing
		return 0, s.Summary["operation"] == "append"
	}
	_, err := fmt.Sscan(text, &n)
	return n, err == nil
}

// covers reports whether a batch reaches the end offsets of a topic.
func covers(b sighting, topic string, end []int64) bool {
	for p, last := range end {
		if b.Ends[topic][int32(p)] < last {
			return false
		}
	}
	return len(end) > 0
}
