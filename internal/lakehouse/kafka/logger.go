package kafka

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// quiet gives the client's log to slog, each line one level lower than the
// client sees it: what it calls a warning is its daily life (a connection that
// it opens again), and what matters to a run comes back as an error.
type quiet struct{ logger *slog.Logger }

// Level implements kgo.Logger.
func (q quiet) Level() kgo.LogLevel {
	ctx := context.Background()
	switch {
	case q.logger.Enabled(ctx, slog.LevelDebug):
		return kgo.LogLevelInfo
	case q.logger.Enabled(ctx, slog.LevelInfo):
		return kgo.LogLevelWarn
	case q.logger.Enabled(ctx, slog.LevelWarn):
		return kgo.LogLevelError
	default:
		return kgo.LogLevelNone
	}
}

// Log implements kgo.Logger.
func (q quiet) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		to = slog.LevelWarn
	case kgo.LogLevelWarn:
		to = slog.LevelInfo
	default:
	}
	q.logger.Log(context.Background(), to, msg, keyvals...) //nolint:sloglint // the client's own words
}
