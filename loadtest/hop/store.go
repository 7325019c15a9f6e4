package hop

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

const (
	storePoll    = time.Second
	storeTimeout = 2 * time.Second // for one answer
)

// opener is the part of [objectstore.Store] that the hop needs.
type opener interface {
	Open(ctx context.Context, uri string) (*objectstore.Object, error)
}

// Store asks the object store for one file now and then, and notes when it does
// not answer. No record passes here; the hop only says when the store was away.
// It is safe for concurrent use; Run runs once.
type Store struct {
	store   opener
	uri     string
	poll    time.Duration
	logger  *slog.Logger
	outages outageLog
}

// NewStore makes the hop for a file that is there, such as a table's metadata.
// That it may be cleaned up meanwhile does not matter: "not found" is an answer.
// A poll of 0 is 1 s.
func NewStore(store opener, uri string, poll time.Duration, logger *slog.Logger) *Store {
	if poll <= 0 {
		poll = storePoll
	}
	return &Store{store: store, uri: uri, poll: poll, logger: logger.With("hop", "store")}
}

// Outages returns the times when the store did not answer.
func (s *Store) Outages() []Outage { return s.outages.all() }

// Run asks until ctx ends, which is not an error.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		asked := time.Now()
		err := s.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if s.outages.end(time.Now()) {
				s.logger.Info("the object store answers again")
			}
		case s.outages.begin(asked, err):
			s.logger.Warn("the object store does not answer", "err", err)
		}
	}
}

func (s *Store) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	object, err := s.store.Open(ctx, s.uri)
	if err == nil {
		return object.Close()
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
