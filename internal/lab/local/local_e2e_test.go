//go:build e2e

package local_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/encode"
	"github.com/lakeproof/lakeproof/generators/fintech"
	"github.com/lakeproof/lakeproof/internal/lab/local"
)

// installed is the folder of the installed programs, kept from run to run.
func installed() string {
	if dir := os.Getenv("LAKEPROOF_LAB_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", ".lab")
}

// newStack is a stack with data of its own on free ports, brought down at the
// end of the test.
func newStack(t *testing.T, opts local.Options) *local.Stack {
	t.Helper()
	opts.Dir, opts.Install, opts.FreePorts = t.TempDir(), installed(), true
	opts.Progress = func(e local.Event) {
		if e.Done {
			t.Logf("%-8s %-40s %6.1f s %v", e.Component, e.Step, e.Elapsed.Seconds(), e.Err)
		}
	}
	s, err := local.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Errorf("bringing the stack down: %v", err)
		}
		if t.Failed() {
			for _, c := range s.Status(context.Background()) {
				raw, _ := os.ReadFile(c.Log)
				t.Logf("%s\n%s", c.Log, raw[max(0, len(raw)-4000):])
			}
		}
	})
	return s
}

// produce sends n payments from seq on and waits for every ack.
func produce(ctx context.Context, t *testing.T, s *local.Stack, from, n uint64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Config().Kafka.Brokers...), kgo.DefaultProduceTopic("payments"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream := fintech.NewPayments(1)
	enc, err := encode.New(encode.JSON, stream.Schema(), encode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key, ev := generators.NewKey(7), generators.NewEvent(stream.Schema())
	failed := make(chan error, 1)
	for seq := from; seq < from+n; seq++ {
		ev.ID = key.Seal(1, seq)
		stream.Fill(ev, seq, time.Now().UnixMilli()*1000)
		client.Produce(ctx, &kgo.Record{Value: enc.Append(nil, ev)}, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

// eventually asks until ok says yes.
func eventually(ctx context.Context, t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	for {
		yes, seen := ok()
		if yes {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting for %s: last seen: %s", what, seen)
		case <-time.After(time.Second):
		}
	}
}

const counts = "SELECT count(*), count(DISTINCT event_id) FROM lab.bronze.payments"

// awaitRows waits until the table holds at least n rows and checks that it
// then holds exactly n, each once.
func awaitRows(ctx context.Context, t *testing.T, s *local.Stack, n uint64) {
	t.Helper()
	want := strconv.FormatUint(n, 10)
	eventually(ctx, t, want+" rows", func() (bool, string) {
		rows, err := s.SQL(ctx, counts)
		if err != nil || len(rows) != 1 {
			return false, fmt.Sprint(rows, err)
		}
		got, _ := strconv.ParseUint(rows[0][0], 10, 64)
		if got > n {
			t.Fatalf("the table holds %v rows, ids; sent were %d", rows[0], n)
		}
		return got == n && rows[0][1] == want, fmt.Sprint(rows[0])
	})
}

// The shipped stack as a user gets it: up, up again, a record's way into the
// table, bad records aside, a driver killed, a store restarted, down.
func TestStackFromUpToDown(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Spark: local.SparkOptions{Trigger: 2 * time.Second}})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	upTwice(ctx, t, s)

	produce(ctx, t, s, 0, 20_000)
	awaitRows(ctx, t, s, 20_000)

	driver := s.Driver()
	first := driver.PID()
	produce(ctx, t, s, 20_000, 50_000)
	if err := driver.Kill(); err != nil {
		t.Fatal(err)
	}
	if left := groupOf(first); left {
		t.Error("after a kill something of the driver is left")
	}
	if c := s.Status(ctx)[3]; c.State != "dead" || c.PID != 0 {
		t.Errorf("after a kill: %+v", c)
	}
	if err := s.Kill(driver.Name()); err == nil {
		t.Error("killing a dead driver: no error")
	}
	if err := driver.Start(ctx); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, s, 70_000, 10_000)
	poison(ctx, t, s)
	awaitRows(ctx, t, s, 80_000)
	awaitDeadLetters(ctx, t, s)

	for _, name := range []string{local.Store, local.Catalog, local.Kafka} {
		if err := s.Kill(name); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	produce(ctx, t, s, 80_000, 5_000)
	awaitRows(ctx, t, s, 85_000)

	downLeavesNothing(ctx, t, s)
	raw, err := os.ReadFile(driver.Log())
	if err != nil || !strings.Contains(string(raw), "stopped cleanly") {
		t.Errorf("the driver did not stop cleanly: %v", err)
	}
}

// upTwice checks a stack that is up, and that a second up keeps all of it.
func upTwice(ctx context.Context, t *testing.T, s *local.Stack) {
	t.Helper()
	before := s.Status(ctx)
	for _, c := range before {
		if c.State != "running" || c.PID == 0 || c.Since.IsZero() {
			t.Errorf("after up: %+v", c)
		}
		conn, err := net.DialTimeout("tcp", c.Addr, 5*time.Second)
		if err != nil {
			t.Errorf("%s does not listen: %v", c.Name, err)
			continue
		}
		conn.Close()
	}
	if err := s.Up(ctx); err != nil {
		t.Fatalf("the second up: %v", err)
	}
	for i, c := range s.Status(ctx) {
		if c.PID != before[i].PID {
			t.Errorf("the second up replaced %s: pid %d, was %d", c.Name, c.PID, before[i].PID)
		}
	}
}

// downLeavesNothing brings the stack down.
func downLeavesNothing(ctx context.Context, t *testing.T, s *local.Stack) {
	t.Helper()
	running := s.Status(ctx)
	if err := s.Down(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range running {
		if groupOf(c.PID) {
			t.Errorf("after down %s (pid %d) is left", c.Name, c.PID)
		}
	}
	for _, c := range s.Status(ctx) {
		if c.State != "stopped" {
			t.Errorf("after down: %+v", c)
		}
	}
}

// groupOf reports whether a process group has members left.
func groupOf(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

// poison sends one record of each kind that the job must put aside.
func poison(ctx context.Context, t *testing.T, s *local.Stack) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Config().Kafka.Brokers...), kgo.DefaultProduceTopic("payments"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, value := range [][]byte{nil, []byte("{\"event_id\": \"cut of"), []byte("\xff\x00"), []byte(`{"amount_minor": 1}`), []byte(`{"event_id": "x", "amount_minor": "much"}`)} {
		if err := client.ProduceSync(ctx, &kgo.Record{Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func awaitDeadLetters(ctx context.Context, t *testing.T, s *local.Stack) {
	t.Helper()
	want := "[[ no value] [7B2261 no event_id] [7B2265 a field is of another type] [7B2265 not a JSON object] [FF00 not a JSON object]]"
	eventually(ctx, t, "the dead letters", func() (bool, string) {
		rows, err := s.SQL(ctx, "SELECT coalesce(left(hex(raw), 6), '') AS h, reason FROM lab.bronze.payments_dead_letter ORDER BY h, reason")
		if len(rows) > 5 {
			t.Fatalf("too many dead letters: %v", rows)
		}
		return fmt.Sprint(rows) == want, fmt.Sprint(rows, err)
	})
}

// The same broker behind TLS and a login; a wrong password and an authority
// that the client does not know are refused.
func TestSecureListener(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Components: []string{local.Kafka}})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	secure := s.SecureKafka()
	ca, err := os.ReadFile(secure.TLS.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for _, c := range []struct {
		name, password string
		roots          *x509.CertPool
		complaint      string
	}{
		{"right", secure.SASL.Password.Reveal(), roots, ""},
		{"wrong password", "wrong", roots, "SASL_AUTHENTICATION_FAILED"},
		{"unknown authority", secure.SASL.Password.Reveal(), x509.NewCertPool(), "unknown authority"},
	} {
		client, err := kgo.NewClient(kgo.SeedBrokers(secure.Brokers...),
			kgo.DialTLSConfig(&tls.Config{RootCAs: c.roots}),
			kgo.SASL(scram.Auth{User: secure.SASL.Username, Pass: c.password}.AsSha512Mechanism()))
		if err != nil {
			t.Fatal(err)
		}
		try, stop := context.WithTimeout(ctx, 30*time.Second)
		err = client.Ping(try)
		stop()
		client.Close()
		if (err == nil) != (c.complaint == "") || err != nil && !strings.Contains(err.Error(), c.complaint) {
			t.Errorf("%s: %v, want %q", c.name, err, c.complaint)
		}
	}
}

// A driver outlives its systems being away for longer than its clients try by
// themselves, keeps its progress in the S3 store, and its faults and a wiped
// checkpoint do what they promise.
func TestDriverThroughOutagesFaultsAndAWipe(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Spark: local.SparkOptions{
		Trigger: 2 * time.Second, Checkpoint: "s3://" + local.Bucket + "/checkpoints/bronze", Fault: "filter:0/777",
	}})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	sent := uint64(10_000)
	produce(ctx, t, s, 0, sent)
	awaitRows(ctx, t, s, sent-1)

	for _, name := range []string{local.Store, local.Catalog} {
		if err := s.Stop(ctx, name); err != nil {
			t.Fatal(err)
		}
		away := time.After(15 * time.Second)
		for up := false; !up; {
			produce(ctx, t, s, sent, 1000)
			sent += 1000
			select {
			case <-away:
				up = true
			case <-time.After(500 * time.Millisecond):
			}
		}
		if err := s.Start(ctx, name); err != nil {
			t.Fatal(err)
		}
		awaitRows(ctx, t, s, sent-1)
	}

	driver := s.Driver()
	if err := driver.WipeCheckpoint(ctx); err == nil {
		t.Error("wiping the checkpoint of a running driver: no error")
	}
	if err := driver.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := driver.WipeCheckpoint(ctx); err != nil {
		t.Fatal(err)
	}
	if err := driver.Start(ctx); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint([][]string{{fmt.Sprint(2 * (sent - 1)), fmt.Sprint(sent - 1)}})
	eventually(ctx, t, "every row twice", func() (bool, string) {
		rows, err := s.SQL(ctx, counts)
		return fmt.Sprint(rows) == want, fmt.Sprint(rows, err)
	})
}

// The second store: Spark writes to it and reads from it through the catalog.
func TestVersityGW(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	s := newStack(t, local.Options{Store: local.VersityGW, Components: []string{local.Store, local.Catalog}})
	if err := s.Up(ctx); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, statement := range []string{
		"CREATE NAMESPACE lab.bronze",
		"CREATE TABLE lab.bronze.numbers USING iceberg AS SELECT id FROM range(1000)",
		"SELECT count(*), sum(id) FROM lab.bronze.numbers",
	} {
		var err error
		if rows, err = s.SQL(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(rows) != "[[1000 499500]]" {
		t.Errorf("read back %v", rows)
	}
}
