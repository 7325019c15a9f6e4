package loadtest

import (
	"os"
	"time"

	"github.com/lakeproof/lakeproof/loadtest/ledger"
)

// Encoded is record seq of a stream of a plan, as another run would send it.
func Encoded(p *Plan, stream int, seq uint64) []byte {
	m, err := newMaker(&p.Streams[stream], "another run", time.Now())
	if err != nil {
		panic(err)
	}
	_, value := m.make(seq)
	return value
}

// OnFullDisk makes a run write its journal to a disk without room.
func OnFullDisk(o Options) Options {
	o.openJournal = func(string) (*ledger.Journal, error) {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return ledger.NewJournal(f)
	}
	return o
}
