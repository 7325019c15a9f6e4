// Package kafka collects what a client can see of a Kafka cluster without JMX:
// brokers, quorum, partitions, log directories, groups of every protocol and
// their lag in records and seconds, transactions, and consumers that keep their
// offsets elsewhere.
//
// A value flows like this: [Collectors] makes the collectors of one cluster;
// each collection asks the brokers in parallel, a fixed number of requests per
// broker whatever the number of partitions and groups, builds a snapshot, and
// writes the families of internal catalogue order into parts by broker, so that
// a broker that stalls costs its own series only.
//
// It needs the right to Describe and no other, alters nothing, and reads no
// record (the probe, which is off by default, has topics of its own).
package kafka
