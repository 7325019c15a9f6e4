package loadtest

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// tracer gives a sampled share of the records a trace context, whose first span
// is the sending. With a nil tracer it gives none and costs nothing.
type tracer struct {
	tracer trace.Tracer
	every  uint64 // one record in so many; 0 is none
}

func newTracer(t trace.Tracer, share float64) *tracer {
	if t == nil || share <= 0 {
		return &tracer{}
	}
	return &tracer{tracer: t, every: max(1, uint64(1/share))}
}

// parent returns the W3C traceparent of a record, or "".
func (t *tracer) parent(stream string, seq uint64) string {
	if t.every == 0 || seq%t.every != 0 {
		return ""
	}
	_, span := t.tracer.Start(context.Background(), "send "+stream, trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("lakeproof.stream", stream), attribute.Int64("lakeproof.seq", int64(seq))))
	defer span.End()
	c := span.SpanContext()
	if !c.IsValid() {
		return ""
	}
	return fmt.Sprintf("00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags())
}
