// Package delivery decides what becomes of true records on their way out:
// which are late, doubled, lost, out of order or poison, and with which
// version of the schema they are written. It does so by a law and a seed, so
// what every later stage must have seen is known exactly, and a deliberate
// fault is never taken for one of the system under test.
//
// The truth is a dense sequence of records n = 0, 1, 2 and so on. The sender
// sends one record in each slot s = 0, 1, 2 and so on, and a [Schedule] says
// when a slot is due. A value flows like this: at each slot a [Walker] first
// looks whether a held copy is due; if so it is sent, and the slot is spent.
// Else the next truth record is drawn, and the slot's time becomes its event
// time, for ever. If the law lets it go, it is sent; if the law holds it or
// drops it, the next one is drawn for the same slot. So each slot sends
// exactly one record and faults do not change the rate.
//
// What a draw decides depends on the seed, the stream and n only, each
// question with random numbers of its own; when a held copy leaves depends on
// the schedule too. A [Plan] holds the laws and never changes; a Walker is one
// walk through it and can be saved and restored; a [Tape] remembers a walk in
// little memory; a [Fault] is what goes to the ledger; [Books] add up what
// Kafka, Spark, the dead-letter table and the Iceberg table must show.
//
// Records that are still held when the schedule ends are counted as held: no
// slot is added for them. The books close: truth drawn = delivered once +
// delivered twice + dropped + poisoned + held, and slots = once + 2 x twice +
// poisoned.
//
// It does not make, encode or send records, reads no clock and needs no lock:
// a Plan may be shared, a Walker has one owner.
package delivery

import "time"

// AlgoVersion changes whenever the same seed and configuration would give
// another delivery.
const AlgoVersion = 1

// Schedule says when the slots are due. At must not fall, and At(Count()) is
// the end. pacer.Schedule of the load test is one, [Even] another.
type Schedule interface {
	At(slot uint64) time.Duration // since the start of the run
	Count() uint64                // slots are 0 to Count()-1
}

// Send is one slot: what is sent in it.
type Send struct {
	Slot      uint64
	Truth     uint64 // number of the truth record
	TruthSlot uint64 // slot whose time is the record's event time
	Class     Class  // OnTime, Late, OutOfOrder, Duplicate (the second copy), or one of the poisons
	Copy      uint8  // 0 the first copy, 1 the second
	Version   uint8  // of the schema, from 1
}

// Even is a schedule with slots evenly spaced: slot s is due s/PerSecond
// seconds after the start, rounded down to the nanosecond.
type Even struct {
	PerSecond uint64
	Slots     uint64
}

// At implements [Schedule]. Slots beyond the last are due at the end.
func (e Even) At(slot uint64) time.Duration {
	slot = min(slot, e.Slots)
	rate := max(e.PerSecond, 1)
	return time.Duration(slot/rate*1e9 + slot%rate*1e9/rate)
}

// Count implements [Schedule].
func (e Even) Count() uint64 { return e.Slots }
