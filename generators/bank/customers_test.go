package bank

import (
	"slices"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
)

// table is what somebody has who follows the changes of the customers.
type table struct {
	rows    map[string][]generators.Value
	deleted map[string]bool // waits for its tombstone
	done    map[string]bool
	ops     map[Op]int
}

// apply applies a change and says what does not fit.
func (tb *table) apply(c Change) string {
	tb.ops[c.Op]++
	old, known := tb.rows[c.Key]
	switch {
	case tb.done[c.Key]:
		return "something after the tombstone"
	case (c.Op == Read) == known && c.Op != Tombstone:
		return "a row is there twice, or not"
	case c.Op != Tombstone && tb.deleted[c.Key]:
		return "something after the deletion"
	case (c.Before != nil) != (c.Op == Update || c.Op == Delete), (c.After != nil) != (c.Op == Read || c.Op == Update):
		return "images that do not belong to the operation"
	case c.Before != nil && !slices.Equal(c.Before.Values, old):
		return "the row before is not the one that was"
	}
	switch c.Op {
	case Read, Update:
		tb.rows[c.Key] = slices.Clone(c.After.Values)
		if c.Op == Update && c.After.Values[rowVersion].Int != old[rowVersion].Int+1 {
			return "a version is left out"
		}
	case Delete:
		delete(tb.rows, c.Key)
		tb.deleted[c.Key] = true
		if old[rowStatus].Str != "closed" {
			return "an open account is deleted"
		}
	case Tombstone:
		if !tb.deleted[c.Key] {
			return "a tombstone of a row that is there"
		}
		tb.done[c.Key] = true
	}
	return ""
}

// Whoever follows the changes has the rows of the bank.
func TestChangesMakeTheRows(t *testing.T) {
	t.Parallel()
	worked, b := everything(t, nil), everything(t, nil)
	all := run(worked, 400_000) // six weeks
	e := worked.tape.live
	follower := table{map[string][]generators.Value{}, map[string]bool{}, map[string]bool{}, map[Op]int{}}
	before, after := generators.NewEvent(customerSchema()), generators.NewEvent(customerSchema())
	for n := range all[customers] {
		if n > 0 && all[customers][n].At < all[customers][n-1].At {
			t.Fatalf("change %d is earlier than the one before", n)
		}
		if what := follower.apply(b.Change(uint64(n), before, after)); what != "" {
			t.Fatalf("change %d: %s", n, what)
		}
	}
	want := map[Op]int{Read: 2000, Update: 500, Delete: 6, Tombstone: 6}
	for op, least := range want {
		if follower.ops[op] < least {
			t.Errorf("%d changes %q, want %d", follower.ops[op], op, least)
		}
	}
	if follower.ops[Delete] != follower.ops[Tombstone] || len(follower.rows) != 2000-follower.ops[Delete] {
		t.Errorf("%d rows after %v", len(follower.rows), follower.ops)
	}
	states := map[string]int{}
	for i, row := range e.rows {
		values := follower.rows[b.customer(uint32(i))]
		if (row.status == isDeleted) != (values == nil) {
			t.Fatalf("row %d: %+v and %v", i, row, values)
		}
		if values == nil {
			continue
		}
		if values[rowKYC].Str != kycWords()[row.kyc] || values[rowVersion].Int != int64(row.version) ||
			values[rowOpening].Int != e.first(uint32(i)) || values[rowGivenName].Str == "" {
			t.Fatalf("row %d: %+v and %v", i, row, values)
		}
		if e.isClosed(uint32(i), e.lanes[0].clock.At(e.lanes[0].next)) != (row.status == isClosed) {
			t.Fatalf("row %d: closed or not, %+v", i, row)
		}
		states[values[rowKYC].Str]++
	}
	if len(states) != 3 {
		t.Errorf("what is known of customers: %v", states)
	}
	controls := []Change{
		{Op: Tombstone, Key: b.customer(1)},
		{Op: Update, Key: b.customer(1), Before: before, After: after},
		{Op: Read, Key: b.customer(1), After: after},
		{Op: Delete, Key: b.customer(1)},
	}
	for _, c := range controls {
		if follower.apply(c) == "" {
			t.Errorf("a wrong %q is not seen", c.Op)
		}
	}
}

// The changes are what Debezium's encoder takes, and come back as they were.
func TestChangesAsDebezium(t *testing.T) {
	t.Parallel()
	worked, b := everything(t, nil), everything(t, nil)
	all := run(worked, 100_000)
	schema := customerSchema()
	enc, err := encode.NewChangeEncoder(schema, encode.Source{Table: "customers", Key: []string{"customer_id"}})
	if err != nil {
		t.Fatal(err)
	}
	dec, err := encode.NewChangeDecoder(schema)
	if err != nil {
		t.Fatal(err)
	}
	before, after := generators.NewEvent(schema), generators.NewEvent(schema)
	var buf []byte
	for n := range all[customers] {
		c := b.Change(uint64(n), before, after)
		if c.Op == Tombstone {
			continue
		}
		out := encode.Change{Op: encode.Op(c.Op), Before: c.Before, After: c.After, At: c.At, Seen: c.At, LSN: uint64(n) + 1}
		if buf, err = enc.Append(buf[:0], &out); err != nil {
			t.Fatalf("change %d: %v", n, err)
		}
		got := encode.Change{Before: generators.NewEvent(schema), After: generators.NewEvent(schema)}
		if err := dec.Decode(&got, buf); err != nil {
			t.Fatalf("change %d: %v in %s", n, err, buf)
		}
		if got.Op != out.Op || (got.Before != nil) != (c.Before != nil) || (got.After != nil) != (c.After != nil) ||
			c.After != nil && !slices.Equal(got.After.Values, c.After.Values) {
			t.Fatalf("change %d: %s is %+v", n, buf, got)
		}
	}
}
