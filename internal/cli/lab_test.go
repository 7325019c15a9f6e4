//go:build !exporter

package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/lab"
)

// TestSentencesOfRuns runs the scripts that need systems, against one embedded
// lab: $WORK/lakeproof.yaml leads there, $WORK/advertised.yaml to a broker that
// sends its clients to an address where nobody is.
func TestSentencesOfRuns(t *testing.T) {
	self, err := exec.LookPath("lakeproof")
	if err != nil {
		t.Fatal(err)
	}
	payments, orders := fintech.NewPayments(1), fintech.NewOrders(1)
	running, err := lab.Start(t.Context(), lab.Options{
		Dir: t.TempDir(), Self: self, ChildArgs: []string{"store"},
		Streams: []lab.Stream{
			{Topic: "payments", Partitions: 3, Table: "bronze.payments", Schema: payments.Schema()},
			{Topic: "orders", Partitions: 6, Table: "bronze.orders", Schema: orders.Schema()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	astray := advertiseNowhere(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "runs"), RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(e *testscript.Env) error {
			where := running.Config()
			if err := writeLab(filepath.Join(e.WorkDir, "lakeproof.yaml"), where); err != nil {
				return err
			}
			where.Kafka.Brokers = []string{astray}
			return writeLab(filepath.Join(e.WorkDir, "advertised.yaml"), where)
		},
	})
}

func writeLab(path string, l config.Lab) error {
	text := fmt.Sprintf(`
lab: scripts
kafka: {brokers: [%q]}
catalog: {uri: %q, warehouse: %q}
storage: {endpoint: %q, region: %q, bucket: %q, access_key: %q, secret_key: %q}
spark: [{app: %s, checkpoint: %q}]
`, l.Kafka.Brokers[0], l.Catalog.URI, l.Catalog.Warehouse, l.Storage.Endpoint, l.Storage.Region, l.Storage.Bucket,
		l.Storage.AccessKey.Reveal(), l.Storage.SecretKey.Reveal(), l.Spark[0].App, l.Spark[0].Checkpoint)
	return os.WriteFile(path, []byte(text), 0o600)
}

// advertiseNowhere returns the address of a broker that names a closed port as
// its own.
func advertiseNowhere(t *testing.T) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp, ok := req.ResponseKind().(*kmsg.MetadataResponse)
		if !ok {
			return nil, nil, false
		}
		b := kmsg.NewMetadataResponseBroker()
		b.Host, b.Port = "127.0.0.1", int32(closed.Addr().(*net.TCPAddr).Port)
		resp.Brokers = append(resp.Brokers, b)
		return resp, nil, true
	})
	return c.ListenAddrs()[0]
}
