package loadtest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kafka"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
)

// contactTimeout bounds the first contact with all systems together: a system
// that is not there is named within ten seconds.
const contactTimeout = 9 * time.Second

// systems are the clients that a run shares between its hops.
type systems struct {
	kafka   *kafka.Client // nil where a run is only verified
	catalog *catalog.Client
	store   *objectstore.Store
	files   *table.Reader
	facts   []systemFact
}

// systemFact is the name and version of a system, for the report.
type systemFact struct{ Name, Version string }

// connect makes the clients and proves that every system answers.
func connect(ctx context.Context, p *Plan, logger *slog.Logger) (*systems, error) {
	s := &systems{}
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	if err := s.lakehouse(p); err != nil {
		return nil, err
	}
	group, contact := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.kafka, err = kafka.Open(contact, p.Lab.Kafka, logger)
		return err
	})
	if s.catalog != nil {
		group.Go(func() error { return s.greetTables(contact, p) })
	}
	if err := group.Wait(); err != nil {
		s.close()
		return nil, fail.Wrap(err, fail.Unreachable, "see whether the system answers at the address in lakeproof.yaml")
	}
	about, err := s.kafka.About(ctx)
	if err != nil {
		s.close()
		return nil, err
	}
	s.facts = append(s.facts, systemFact{"Kafka", fmt.Sprintf("%s, %d brokers", about.Version, len(about.Brokers))})
	return s, nil
}

// lakehouse makes the clients of the catalog and the store.
func (s *systems) lakehouse(p *Plan) error {
	var err error
	if p.followsTable() {
		if s.catalog, err = catalog.New(p.Lab.Catalog, catalog.Options{}); err != nil {
			return err
		}
	}
	if s.store, err = objectstore.New(p.Lab.Storage); err != nil {
		return err
	}
	s.files = table.NewReader(s.store)
	return nil
}

// greetTables proves that catalog and store answer, by the tables of the
// scenario: a table that is not there is named, and one whose metadata cannot
// be read from the store too.
func (s *systems) greetTables(ctx context.Context, p *Plan) error {
	if err := s.catalog.Ping(ctx); err != nil {
		return err
	}
	for _, st := range p.Streams {
		if st.Table == "" {
			continue
		}
		t, _, err := s.catalog.LoadTable(ctx, st.Table, catalog.LoadOptions{})
		if err != nil {
			return fail.Wrap(fmt.Errorf("looking at the table of stream %q: %w", st.Name, err), fail.Unreachable,
				"start the streaming job that makes the table, or correct streams."+st.Name+".table")
		}
		if _, _, err := st.layout(t); err != nil {
			return err
		}
		metadata, err := s.store.Open(ctx, t.MetadataLocation)
		if err != nil {
			return fmt.Errorf("reading the metadata of table %s from the object store: %w", st.Table, err)
		}
		if err := metadata.Close(); err != nil {
			return fmt.Errorf("reading the metadata of table %s: %w", st.Table, err)
		}
	}
	return nil
}

func (p *Plan) followsTable() bool {
	for _, s := range p.Streams {
		if s.Table != "" {
			return true
		}
	}
	return false
}

func (s *systems) close() {
	if s.kafka != nil {
		s.kafka.Close()
	}
	if s.catalog != nil {
		s.catalog.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
}
