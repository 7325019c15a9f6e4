package fileset

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
)

// digest is the sum, modulo 2^64, of the XXH64 of each record's value with seed
// 42. It does not depend on the order, and SQL can make it: it is the sum of
// Spark's xxhash64(value).
type digest uint64

// add adds a record.
func (d *digest) add(h *xxhash.Digest, value []byte) {
	h.ResetWithSeed(42)
	_, _ = h.Write(value) // it returns no error
	*d += digest(h.Sum64())
}

// MarshalText implements encoding.TextMarshaler.
func (d digest) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%016x", uint64(d)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *digest) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	*d = digest(n)
	return err
}

// moment is a time in microseconds since the Unix epoch.
type moment int64

// MarshalText implements encoding.TextMarshaler.
func (m moment) MarshalText() ([]byte, error) {
	return time.UnixMicro(int64(m)).UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	*m = moment(t.UnixMicro())
	return err
}
