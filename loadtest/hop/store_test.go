package hop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// flaky is a store that is away at times; while it is there, the file is not.
type flaky struct{ away atomic.Bool }

func (f *flaky) Open(context.Context, string) (*objectstore.Object, error) {
	if f.away.Load() {
		return nil, errors.New("connection refused")
	}
	return nil, fmt.Errorf("opening: %w", fs.ErrNotExist)
}

// TestStoreOutage: an outage has the times of the store's absence, give or take
// a poll, and a missing file is none.
func TestStoreOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{}
		s := NewStore(store, "s3://lake/metadata.json", 0, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(10 * time.Second)
		if got := s.Outages(); len(got) != 0 {
			t.Errorf("outages before any: %v", got)
		}
		from := time.Now()
		store.away.Store(true)
		time.Sleep(15 * time.Second)
		store.away.Store(false)
		to := time.Now()
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := s.Outages()
		if len(got) != 1 || got[0].Error != "connection refused" {
			t.Fatalf("outages %v", got)
		}
		for what, d := range map[string]time.Duration{"beginning": got[0].From.Sub(from), "end": got[0].To.Sub(to)} {
			if d < 0 || d > 2*time.Second {
				t.Errorf("the %s is %v off", what, d)
			}
		}
	})
}
