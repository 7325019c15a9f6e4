// Package loadtest runs a scenario against a lab and says pass or fail. It is
// the only package that knows the whole journey of a record.
//
// A value flows like this: [Load] reads a scenario, [NewPlan] joins it with a
// lab, [Run] sends every record at its intended time (pacer, sink), watches it
// on its way (hop), reconciles what was sent with what arrived (ledger), judges
// the thresholds and returns a report, which it has also written into the run's
// folder. [Verify] reconciles a finished or killed run again from its folder.
//
// It does not parse flags, print, or start systems.
package loadtest
