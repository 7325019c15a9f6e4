package hop

import "time"

// Outage is a time in which a system did not answer.
type Outage struct {
	From, To time.Time // To is zero while it lasts
	Error    string    // of the first question that failed
}
