// Package lab is the embedded lab: a broker, an S3 store, an Iceberg catalog
// and a micro-batch engine inside our own process (the store in a child of
// it), so that a run needs nothing but the binary. It is not a stand-in for
// the clients: hops and reconciliation speak to it over the same protocols as
// to a real lakehouse.
//
// A record flows like this: the load test produces to the broker (kfake); the
// engine (stream.go) plans a micro-batch every trigger, writes Spark's
// offsets/N, reads and decodes the records (source.go, rows.go), lets the
// sabotage at them where one is asked for (saboteur.go), appends the rows to
// the Iceberg table through iceberg-go's SQL catalog (catalog.go) into the
// store (store.go, fileio.go) and writes commits/N (checkpoint.go). Readers
// see the table through the REST endpoint (rest.go).
//
// It makes no claim of durability or of speed for the systems that it imitates,
// keeps no more than one writer a table, and expires no snapshots. Figures
// measured on it are to be marked "embedded". The build tag nolab leaves it
// out.
package lab
