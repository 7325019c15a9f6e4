// Package telemetry is how the process tells about itself: logs, metrics and
// traces.
//
// Logs go to one slog.Logger in the style of the Prometheus servers
// ([NewLogger]). Metrics are collectors made from the values of the catalogue
// (metrics), kept in a registry ([NewRegistry]) and served on /metrics
// ([Serve]). Traces, and the same metrics, leave by OTLP over HTTP when the
// environment asks for it ([Setup]).
//
// It measures nothing itself, and it keeps no global state: nothing is
// registered with the default registry, provider or logger.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/prometheus/common/promslog"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Levels returns the names of the levels.
func Levels() []string { return []string{"debug", "info", "warn", "error"} }

// Formats returns the names of the formats.
func Formats() []string { return []string{"logfmt", "json"} }

// NewLogger returns a logger that writes lines of the format from the level on.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	if !slices.Contains(Levels(), level) {
		return nil, fail.New(fail.Usage, "use one of "+strings.Join(Levels(), ", "),
			"setting --log.level: %q is not a level", level)
	}
	if !slices.Contains(Formats(), format) {
		return nil, fail.New(fail.Usage, "use one of "+strings.Join(Formats(), ", "),
			"setting --log.format: %q is not a format", format)
	}
	l, f := promslog.NewLevel(), promslog.NewFormat()
	if err := l.Set(level); err != nil {
		return nil, fmt.Errorf("setting the log level: %w", err)
	}
	if err := f.Set(format); err != nil {
		return nil, fmt.Errorf("setting the log format: %w", err)
	}
	return promslog.New(&promslog.Config{Level: l, Format: f, Writer: w}), nil
}
