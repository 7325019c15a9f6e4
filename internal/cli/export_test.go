package cli

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/lakeproof/lakeproof/internal/env"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// exporting is a running `lakeproof export`.
type exporting struct {
	url    string
	hangup chan struct{}
	end    context.CancelFunc
	code   chan int
	log    *strings.Builder
}

func export(t *testing.T, e env.Env) *exporting {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	x := &exporting{hangup: make(chan struct{}), end: cancel, code: make(chan int, 1), log: &strings.Builder{}}
	lines, stderr := io.Pipe()
	e.Stdout, e.Stderr, e.Width = io.Discard, stderr, func() int { return 80 }
	if e.Lookup == nil {
		e.Lookup = func(string) (string, bool) { return "", false }
	}
	e.Signals = func(context.Context) (context.Context, context.CancelFunc) { return ctx, cancel }
	e.Hangups = func(context.Context) <-chan struct{} { return x.hangup }
	go func() {
		x.code <- Main(e)
		stderr.Close()
	}()
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		x.log.WriteString(scanner.Text() + "\n")
		if found := regexp.MustCompile(`^serving (http://\S+?)/metrics$`).FindStringSubmatch(scanner.Text()); found != nil {
			x.url = found[1]
			break
		}
	}
	go func() { // whatever comes later must not block
		_, _ = io.Copy(io.Discard, lines)
	}()
	if x.url == "" {
		t.Fatalf("it does not serve: %s", x.log)
	}
	return x
}

// stop ends the command and returns its exit code.
func (x *exporting) stop() int {
	x.end()
	return <-x.code
}

func broker(t *testing.T) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "payments", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}

// awaited fetches a page until it has a text.
func awaited(t *testing.T, url, want string) string {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		page := get(t, url)
		if strings.Contains(page, want) {
			return page
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no %q:\n%s", url, want, page)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestExportInPlaceOfKafkaExporter: under the name of kafka_exporter, with the
// flags that Strimzi's start script gives, it serves kafka_exporter's series.
func TestExportInPlaceOfKafkaExporter(t *testing.T) {
	x := export(t, env.Env{Name: "kafka_exporter", Args: []string{
		"--group.filter=.*", "--topic.filter=.*", "--topic.exclude=^ord", "--kafka.server=" + broker(t), "--no-offset.show-all",
		"--verbosity=0", "--kafka.version=4.1.0", "--sasl.handshake", "--kafka.labels=lab=home", "--web.listen-address=127.0.0.1:0",
	}})
	page := awaited(t, x.url+"/metrics", `kafka_topic_partition_current_offset{lab="home",topic="payments",partition="2"} 0`)
	if strings.Contains(page, `topic="orders"`) {
		t.Error("an excluded topic is shown")
	}
	if !strings.Contains(get(t, x.url), "<!doctype html>") || get(t, x.url+"/-/healthy") != "lakeproof is healthy.\n" {
		t.Error("the landing page or the health page is not there")
	}
	if code := x.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestExportPushes: with an endpoint of OpenTelemetry, the page leaves that way
// as well, at the latest at the end.
func TestExportPushes(t *testing.T) {
	var mu sync.Mutex
	var pushed strings.Builder
	otlp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if pushed.Write(body); err != nil {
			t.Error(err)
		}
	}))
	defer otlp.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.URL) // the library reads it itself
	x := export(t, env.Env{
		Name: "lakeproof", Args: []string{"export", "kafka", "--kafka.server=" + broker(t), "--web.listen-address=127.0.0.1:0"},
		Lookup: func(name string) (string, bool) { return otlp.URL, name == "OTEL_EXPORTER_OTLP_ENDPOINT" },
	})
	awaited(t, x.url+"/metrics", "kafka_brokers 1")
	x.stop()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"kafka_topic_partition_current_offset", "lakeproof_collector_success"} {
		if !strings.Contains(pushed.String(), want) {
			t.Errorf("%d bytes were pushed, without %s", pushed.Len(), want)
		}
	}
}

// TestExportReloads: a hangup reads lakeproof.yaml again; a broken one leaves
// what was there.
func TestExportReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lakeproof.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("lab: before\nkafka: {brokers: [" + broker(t) + "]}\n")
	x := export(t, env.Env{Name: "lakeproof", Args: []string{"--config", file, "export", "kafka", "--web.listen-address=127.0.0.1:0"}})
	awaited(t, x.url+"/metrics", "kafka_brokers 1")
	write("lab: before\nkafak: {}\n")
	x.hangup <- struct{}{}
	page := awaited(t, x.url+"/metrics", `lakeproof_exporter_reloads_total{result="failure"} 1`)
	if !strings.Contains(page, "kafka_brokers 1") {
		t.Error("a broken configuration costs series")
	}
	write("lab: after\nkafka: {brokers: [" + broker(t) + "]}\n")
	x.hangup <- struct{}{}
	page = awaited(t, x.url+"/metrics", `lakeproof_collector_success{collector="kafka",target="after"} 1`)
	if strings.Contains(page, `target="before"`) {
		t.Error("the collectors of the old configuration are still there")
	}
	if code := x.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestExportOfSeveralClusters: each has loops of its own and says which it is;
// one that is not there costs the others nothing.
func TestExportOfSeveralClusters(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lakeproof.yaml")
	text := "lab: home\nkafka: {brokers: [" + broker(t) + "]}\nclusters:\n  east: {brokers: [" + broker(t) + "]}\n" +
		"  west: {brokers: [127.0.0.1:1]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x := export(t, env.Env{Name: "lakeproof", Args: []string{"--config", file, "export", "kafka", "--web.listen-address=127.0.0.1:0"}})
	defer x.stop()
	awaited(t, x.url+"/metrics", `kafka_brokers{cluster="east"} 1`)
	awaited(t, x.url+"/metrics", `kafka_brokers{cluster="home"} 1`)
	page := awaited(t, x.url+"/metrics", `lakeproof_collector_success{collector="kafka",target="west"} 0`)
	if strings.Contains(page, `cluster="west"`) {
		t.Error("a cluster that is not there has series")
	}
}

// TestExportTakesPushes: what a job pushes is on the page, also after a reload;
// without --spark.push it is refused.
func TestExportTakesPushes(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	progress := `{"app": "bronze", "event": "progress", "progress": {"id": "00000000-0000-0000-0000-000000000001",
		"runId": "00000000-0000-0000-0000-000000000002", "name": "payments", "timestamp": "` + time.Now().UTC().Format(time.RFC3339) + `",
		"batchId": 7, "batchDuration": 100, "numInputRows": 500, "durationMs": {"addBatch": 90, "triggerExecution": 100}}}`
	push := func(x *exporting, secret string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.url+"/v1/spark/progress", strings.NewReader(progress))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+secret)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	x := export(t, env.Env{Name: "lakeproof", Args: []string{
		"export", "spark", "--spark.push", "--spark.push-token-file=" + token, "--web.listen-address=127.0.0.1:0", "--collect.interval=1s",
	}})
	if code := push(x, "wrong"); code != http.StatusUnauthorized {
		t.Errorf("with a wrong token: %d", code)
	}
	x.hangup <- struct{}{}
	awaited(t, x.url+"/metrics", `lakeproof_exporter_reloads_total{result="success"} 1`)
	if code := push(x, "open sesame"); code/100 != 2 {
		t.Errorf("pushing: %d", code)
	}
	awaited(t, x.url+"/metrics", `spark_streaming_batch_id{app="bronze",query="payments"} 7`)
	x.stop()

	x = export(t, env.Env{Name: "lakeproof", Args: []string{"export", "kafka", "--kafka.server=" + broker(t), "--web.listen-address=127.0.0.1:0"}})
	if code := push(x, ""); code != http.StatusNotFound {
		t.Errorf("without --spark.push: %d", code)
	}
	x.stop()
}

// TestExportBehindTLS takes kafka_exporter's own flags for it.
func TestExportBehindTLS(t *testing.T) {
	cert, key := certificateFiles(t)
	x := export(t, env.Env{Name: "kafka_exporter", Args: []string{
		"--kafka.server=" + broker(t), "--web.listen-address=127.0.0.1:0",
		"--server.tls.enabled", "--server.tls.cert-file=" + cert, "--server.tls.key-file=" + key,
	}})
	defer x.stop()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // its own
	defer client.CloseIdleConnections()
	resp, err := client.Get(strings.Replace(x.url, "http://", "https://", 1) + "/-/healthy")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.TLS == nil {
		t.Errorf("status %d, TLS %v", resp.StatusCode, resp.TLS != nil)
	}
}

// TestExportRefuses: bad input ends at once, with a hint and the right code.
func TestExportRefuses(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"export", "kafka", "--kafka.server=x:1", "--topic.filter=("}, "reading the topic filter"},
		{[]string{"export", "kafka", "--kafka.server=x:1", "--compat=burrow"}, "kminion"},
		{[]string{"export", "kafak", "--kafka.server=x:1"}, "kafka"},
		{[]string{"export", "kafka", "--kafka.server=x:1", "--web.telemetry-path=metrics"}, "such as /metrics"},
		{[]string{"export", "kafka", "--kafka.server=x:1", "--web.listen-address=300.0.0.1:1"}, "--web.listen-address"},
		{[]string{"export", "kafka", "--kafka.server=x:1", "--tls.enabled", "--tls.ca-file=/nowhere"}, "ca"},
		{[]string{"export", "spark", "--spark.url=bronze=ftp://x", "--web.listen-address=127.0.0.1:0"}, "ftp"},
		{[]string{"export"}, "lakeproof.yaml"},
	} {
		var stderr strings.Builder
		code := Main(env.Env{
			Name: "lakeproof", Args: append([]string{"--config", ""}, test.args...), Stdout: io.Discard, Stderr: &stderr,
			Width: func() int { return 80 }, Lookup: func(string) (string, bool) { return "", false },
			Signals: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 5*time.Second) // one that is not refused must end
			},
		})
		if code != int(fail.Usage) || !strings.Contains(stderr.String(), test.want) || !strings.Contains(stderr.String(), "hint: ") {
			t.Errorf("%v: exit code %d, %s", test.args, code, stderr.String())
		}
	}
}

// certificateFiles writes the certificate that httptest serves with.
func certificateFiles(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
