//go:build !nolab

package lab

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/config"
	restclient "github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
	"github.com/lakeproof/lakeproof/internal/lakehouse/table"
)

// TestTheClientsOfARealLakehouseWork runs two streams in formats of their own
// and reads their tables and checkpoints with the clients that also read real
// systems, from nothing but the configuration.
func TestTheClientsOfARealLakehouseWork(t *testing.T) {
	opts := testOptions(t)
	orders := fintech.NewOrders(1)
	opts.Streams = append(opts.Streams, Stream{
		Topic: "orders", Partitions: 2, Table: "silver.orders", Schema: orders.Schema(), Format: encode.AvroRegistry,
	})
	l := startTestLab(t, opts)
	const payments, ordered = 500, 300
	newProducer(t, l, 3).payments(payments)
	produceOrders(t, l, orders, ordered)
	flush(t, l)

	cfg := l.Config()
	if !cfg.Embedded || len(cfg.Spark) != 2 {
		t.Fatalf("configuration is %+v", cfg)
	}
	checkWithClients(t, cfg, testTable, cfg.Spark[0], payments)
	checkWithClients(t, cfg, "silver.orders", cfg.Spark[1], ordered)
}

func produceOrders(t *testing.T, l *Lab, orders generators.Stream, n uint64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.Config().Kafka.Brokers...), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	enc, err := encode.New(encode.AvroRegistry, orders.Schema(), encode.Options{SchemaID: 7})
	if err != nil {
		t.Fatal(err)
	}
	key := generators.NewKey(testRun)
	ev := generators.NewEvent(orders.Schema())
	for seq := range n {
		orders.Fill(ev, seq, 1_700_000_000_000_000)
		ev.ID = key.Seal(2, seq)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: enc.Append(nil, ev)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkWithClients(t *testing.T, cfg config.Lab, name string, spark config.Spark, rows int64) {
	t.Helper()
	cat, err := restclient.New(cfg.Catalog, restclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer cat.Close()
	store, err := objectstore.New(cfg.Storage)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tbl, _, err := cat.LoadTable(t.Context(), name, restclient.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, same, err := cat.LoadTable(t.Context(), name, restclient.LoadOptions{ETag: tbl.ETag}); !same || err != nil {
		t.Errorf("%s: an unchanged table is loaded again (%v)", name, err)
	}
	snap, ok := tbl.Current()
	if total, _ := snap.TotalRecords(); !ok || total != rows {
		t.Errorf("%s: the snapshot counts %d rows, want %d", name, total, rows)
	}
	files, err := table.NewReader(store).LiveFiles(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := tbl.Select("event_id", colTopic, colPartition, colOffset, "checksum", colIngestTS)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	key := generators.NewKey(testRun)
	for _, f := range files.Data {
		err := table.ScanColumns(t.Context(), store, f, columns, func(b *table.Batch) error {
			for _, text := range b.Columns[0].Bytes {
				id, _ := generators.ParseID(text)
				if _, _, ok := key.Open(id); !ok {
					t.Errorf("%s: foreign identifier %q", name, text)
				}
				ids[string(text)] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if int64(len(ids)) != rows {
		t.Errorf("%s: %d identifiers, want %d", name, len(ids), rows)
	}
	if _, err := store.ReadFile(t.Context(), spark.Checkpoint+"/commits/0", 1<<10); err != nil {
		t.Errorf("%s: %v", spark.App, err)
	}
}
