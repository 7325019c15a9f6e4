package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// shutdownTimeout bounds the sending of what is left at the end.
const shutdownTimeout = 5 * time.Second

// Telemetry is where traces and metrics of our own go: by OTLP over HTTP to
// OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere when that variable is unset.
type Telemetry struct {
	Enabled bool
	Tracer  trace.Tracer // never nil
	Meter   metric.Meter // never nil
	stop    func(context.Context) error
	bridge  *bridge
	logger  *slog.Logger
}

// Setup reads the OTEL_ variables of the environment and starts the exporters
// when there is an endpoint. The exporters read the other variables of the
// OpenTelemetry specification themselves.
func Setup(ctx context.Context, e env.Env, version string, logger *slog.Logger) (Telemetry, error) {
	if e.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT", "") == "" {
		return Telemetry{
			Tracer: tracenoop.NewTracerProvider().Tracer("lakeproof"),
			Meter:  metricnoop.NewMeterProvider().Meter("lakeproof"),
			stop:   func(context.Context) error { return nil }, logger: logger,
		}, nil
	}
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return Telemetry{}, misconfigured(err)
	}
	points, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return Telemetry{}, misconfigured(err)
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", "lakeproof"), attribute.String("service.version", version))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("sending telemetry", "err", err) }))
	producer := &bridge{began: time.Now()}
	reader := sdkmetric.NewPeriodicReader(points, sdkmetric.WithProducer(producer))
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(about))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	return Telemetry{
		Enabled: true, Tracer: traces.Tracer("lakeproof"), Meter: meters.Meter("lakeproof"), logger: logger, bridge: producer,
		stop: func(ctx context.Context) error { return errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx)) },
	}, nil
}

// Export sends the metrics of the gatherer as well, from now on. Without an
// endpoint it does nothing.
func (t Telemetry) Export(g prometheus.Gatherer) {
	if t.bridge != nil {
		t.bridge.source.Store(&g)
	}
}

func misconfigured(err error) error {
	return fail.Wrap(fmt.Errorf("setting up OpenTelemetry: %w", err), fail.Usage,
		"correct OTEL_EXPORTER_OTLP_ENDPOINT, for example http://127.0.0.1:4318")
}

// Shutdown sends what is left, within five seconds. A collector that does not
// answer is logged: it must not change a verdict.
func (t Telemetry) Shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := t.stop(ctx); err != nil {
		t.logger.Warn("sending telemetry", "err", err)
	}
}
