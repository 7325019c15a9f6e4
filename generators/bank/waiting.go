package bank

import "slices"

// waiting holds the flows that wait for the outcome of one that they started.
type waiting struct {
	flows []pending
	free  []uint32
}

// put keeps a flow and returns its ticket, which is never 0.
func (w *waiting) put(p *pending) uint32 {
	if n := len(w.free); n > 0 {
		ticket := w.free[n-1]
		w.free = w.free[:n-1]
		w.flows[ticket-1] = *p
		return ticket
	}
	w.flows = append(w.flows, *p)
	return uint32(len(w.flows))
}

// take gives the flow of a ticket back.
func (w *waiting) take(ticket uint32) pending {
	w.free = append(w.free, ticket)
	return w.flows[ticket-1]
}

func (w waiting) clone() waiting { return waiting{slices.Clone(w.flows), slices.Clone(w.free)} }
