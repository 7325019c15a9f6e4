// Package spark collects what can be known of Spark applications from outside:
// Structured Streaming queries by their checkpoints, the driver's metrics and
// its REST API, the progress that a job pushes, the History Server, the
// standalone master.
//
// A value flows like this: [Collectors] makes the collectors; discovery merges
// what static configuration, Kubernetes, the History Server, the master and
// checkpoint prefixes know into applications under stable names; each is asked
// within a budget of six requests and is a part of its own, so that one driver
// that hangs costs its own series only.
//
// It needs no jar in the image and no change to a job, scrapes no HTML, and puts
// no id into a label but in one info series.
package spark
