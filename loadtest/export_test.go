package loadtest

import "time"

// Encoded is record seq of a stream of a plan, as another run would send it.
func Encoded(p *Plan, stream int, seq uint64) []byte {
	m := newMaker(&p.Streams[stream], "another run", time.Now())
	_, value := m.make(seq)
	return value
}
