//go:build !exporter

package cli

import (
	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/loadtest"
)

// append appends a record. Where the schema changes on the way, its version
// follows from its number.
func (g *generation) append(dst []byte, ev *generators.Event, seq uint64) []byte {
	if e, ok := g.encoder.(loadtest.Numbered); ok {
		return e.AppendNumber(dst, ev, seq)
	}
	return g.encoder.Append(dst, ev)
}
