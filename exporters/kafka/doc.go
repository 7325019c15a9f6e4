// Package kafka collects what a client can see of a Kafka cluster without JMX:
// brokers, quorum, partitions, log directories, groups of every protocol and
// their lag in records and seconds, transactions, and consumers that keep their
// offsets elsewhere.
//
// A value flows like this: [Collectors] makes the collectors of one cluster;
// each collection (cycle) asks the brokers side by side, a fixed number of
// requests to each whatever the number of partitions and groups (wire), builds
// a snapshot of what they say and a list of consumers, and writes the families
// of the catalogue into parts by broker, so that a broker that stalls costs its
// own series only. What groups committed is asked before the ends of the
// partitions, so that no lag is negative.
//
// It needs the right to Describe and no other, alters nothing, and reads no
// record (the probe, which is off by default, has topics of its own).
package kafka
