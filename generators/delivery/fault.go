package delivery

import (
	"math"
	"time"
)

// NoSlot stands for a slot that there is not.
const NoSlot = math.MaxUint64

// NotDue is the due time of a record that is held beyond the schedule's end.
const NotDue = time.Duration(math.MaxInt64)

// Fault is one deliberate fault: one line of the ledger.
type Fault struct {
	Class     Class
	Truth     uint64 // number of the truth record
	TruthSlot uint64 // slot whose time is its event time
	Slot      uint64 // where it was drawn; of a duplicate where the first copy was sent
	Second    uint64 // where the held or second copy was sent; NoSlot where there is none
	EventTime time.Duration
	Due       time.Duration // when the held copy was due; else the event time
	Version   uint8
	Held      bool // still held when the run ended: it was never sent
}
