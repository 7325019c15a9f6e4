// Package lagtime finds out when a record of a Kafka partition was written
// without reading it: by asking for offsets by time, whose answer is the first
// record at or after a time, with its offset and its own timestamp.
//
// A value flows like this: a [Log] is told at every poll where its partition
// begins and ends ([Log.Observe]) and which offsets matter ([Log.Want]);
// [Search] makes rounds of questions, at most one per log and round, for the
// offsets whose time is not known to a second yet; [Log.At] says what is known.
// What was learnt is kept, within a bound, since records do not change.
//
// It knows no network and no clock: times are milliseconds that it is given.
//
// What the questions can tell is the newest timestamp up to an offset. Where
// timestamps ascend that is the record's own; where they do not, the estimate is
// never younger than the record, and [Estimate.Low] makes room for what the
// polls have shown of the disorder.
package lagtime
