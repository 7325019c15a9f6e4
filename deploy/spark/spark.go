// Package spark holds the shipped PySpark streaming job, so that a lone binary
// can start it.
//
// The job reads the record's fields from a schema file, which
// encode.ColumnsJSON writes from any stream's schema, and the writer's schema of
// Avro from another, which is encode.AvroSchema; the payments' are here.
//
// It does not run Spark: that is internal/lab/local on one machine and the
// manifests under deploy on Kubernetes.
package spark

import _ "embed"

//go:embed bronze_payments.py
var job []byte

//go:embed faulty.py
var faulty []byte

//go:embed progress_listener.py
var listener []byte

//go:embed payments.schema.json
var payments []byte

//go:embed payments.avsc
var paymentsAvro []byte

// Job returns bronze_payments.py, the streaming job.
func Job() []byte { return job }

// Faulty returns faulty.py, which runs the same job with a fault in it: the
// negative control of every detector. Never for production.
func Faulty() []byte { return faulty }

// Listener returns progress_listener.py, which the job imports when it is to
// send its progress.
func Listener() []byte { return listener }

// PaymentsSchema returns the shipped schema file of the payments stream.
func PaymentsSchema() []byte { return payments }

// PaymentsAvroSchema returns the Avro schema of the payments stream.
func PaymentsAvroSchema() []byte { return paymentsAvro }
