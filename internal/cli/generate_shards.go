//go:build !exporter

package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/loadtest/sink"
)

// shards are the part of all records that this machine makes: those whose key
// falls into some of so many shards. The hash is that of Kafka's partitions, so
// shard i of n goes to partition i of n.
type shards struct{ first, last, of int32 }

const maxShards = 1 << 20

// parseShards reads 0-3/16, or 5/16; "" is all.
func parseShards(text string) (s shards, err error) {
	if text == "" {
		return s, nil
	}
	bad := fail.New(fail.Usage, "write --shards 0-3/16, the first four of sixteen, or --shards 5/16",
		"reading --shards: %q is no part of at most %d shards", text, maxShards)
	part, of, ok := strings.Cut(text, "/")
	first, last, isRange := strings.Cut(part, "-")
	if !isRange {
		last = first
	}
	for _, n := range []struct {
		text string
		to   *int32
	}{{first, &s.first}, {last, &s.last}, {of, &s.of}} {
		value, err := strconv.ParseUint(n.text, 10, 31)
		if err != nil || value > maxShards {
			return s, bad
		}
		*n.to = int32(value)
	}
	if !ok || s.first > s.last || s.last >= s.of {
		return s, bad
	}
	return s, nil
}

// has reports whether the record with a key is made here.
func (s shards) has(key []byte) bool {
	if s.of <= 1 {
		return true
	}
	at := sink.Partition(key, s.of)
	return at >= s.first && at <= s.last
}

// String is the text that parseShards reads.
func (s shards) String() string { return fmt.Sprintf("%d-%d/%d", s.first, s.last, s.of) }
