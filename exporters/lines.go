package exporters

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
)

// lines keeps the log of one collection, its first 200 lines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
	n   int
}

const maxLines = 200

func (l *lines) handler() slog.Handler {
	return slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// Write takes one line.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n < maxLines {
		l.buf.Write(line)
	}
	l.n++
	return len(line), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimRight(l.buf.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// tee gives messages to two handlers, each by its own level.
type tee struct{ one, two slog.Handler }

// Enabled implements slog.Handler.
func (t tee) Enabled(ctx context.Context, level slog.Level) bool {
	return t.one.Enabled(ctx, level) || t.two.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (t tee) Handle(ctx context.Context, r slog.Record) error {
	var err error
	for _, h := range []slog.Handler{t.one, t.two} {
		if h.Enabled(ctx, r.Level) {
			err = errors.Join(err, h.Handle(ctx, r.Clone()))
		}
	}
	return err
}

// WithAttrs implements slog.Handler.
func (t tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tee{t.one.WithAttrs(attrs), t.two.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (t tee) WithGroup(name string) slog.Handler {
	return tee{t.one.WithGroup(name), t.two.WithGroup(name)}
}
