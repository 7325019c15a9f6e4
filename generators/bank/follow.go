package bank

import "slices"

// The lanes after those of the flows' streams. Their events follow from others.
const (
	ledger = labels + 1 + iota
	customers
	lanes
)

const (
	ledgerName    = "ledger"
	customersName = "customers"
)

// maxEntries is more than a slot or two write: a block is handed out before it
// must grow.
const maxEntries = 512

// opening makes the events with which a lane begins, a block at a time. It
// returns nil when all are made.
func (e *engine) opening() *lane {
	for _, i := range e.starts {
		l := &e.lanes[i]
		if l.next >= uint64(len(e.homes)) {
			continue
		}
		if i == ledger {
			e.openLedger()
		} else {
			e.openRows()
		}
		return l
	}
	return nil
}

// follow makes the events that follow from others, up to a time. It returns a
// lane whose block is full.
func (e *engine) follow(at int64) *lane {
	if e.crimes != nil {
		if l := e.reveal(at); l != nil {
			return l
		}
	}
	if e.rows != nil {
		if l := e.change(at); l != nil {
			return l
		}
	}
	if e.entries && len(e.lanes[ledger].block) > blockSize-maxEntries {
		return &e.lanes[ledger]
	}
	return nil
}

// also lets the bank have the streams that cost something.
func (e *engine) also(c *Config) {
	if c.Ledger {
		e.entries = true
		e.starts = append(e.starts, ledger)
	}
	if !c.Changes {
		return
	}
	e.starts = append(e.starts, customers)
	e.rows = make([]row, len(e.homes))
	for i := range e.rows {
		account := uint32(i)
		e.rows[i] = e.firstRow(c.Seed, account)
		if at := e.closes(account); at > c.Start && at < c.Start+closingSpan {
			e.lanes[customers].wheel.push(pending{due: at, account: account, state: int16(noRowState), flow: closes})
		} else if at == c.Start {
			e.retire(account, at)
		}
	}
}

// has reports whether a lane has events.
func (e *engine) has(lane int) bool {
	switch lane {
	case labels:
		return e.crimes != nil
	case ledger, customers:
		return slices.Contains(e.starts, lane)
	default:
		return e.lanes[lane].clock != nil
	}
}
