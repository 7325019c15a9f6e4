package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
	"github.com/lakeproof/lakeproof/internal/version"
)

type exportCmd struct {
	Systems []string `arg:"" optional:"" enum:"kafka,spark" placeholder:"SYSTEM" help:"What to watch: kafka, spark (default: all that the lab configures)."`

	Listen    string `name:"web.listen-address" default:"127.0.0.1:9308" placeholder:"HOST:PORT" help:"Where to serve (default: ${default}; :9308 serves on all addresses)."`
	Path      string `name:"web.telemetry-path" default:"/metrics" placeholder:"PATH" help:"Path of the metrics (default: ${default})."`
	WebConfig string `name:"web.config.file" placeholder:"FILE" help:"TLS and basic auth, in the format of the Prometheus exporter toolkit."`

	Mode       string        `name:"collect.mode" enum:"background,on-scrape" default:"background" placeholder:"MODE" help:"When to collect: background or on-scrape (default: ${default})."`
	Interval   time.Duration `name:"collect.interval" default:"15s" placeholder:"DURATION" help:"Between two collections of what changes quickly (default: ${default})."`
	StaleAfter int           `name:"collect.stale-after" default:"3" placeholder:"N" help:"Intervals after which series that cannot be collected are dropped (default: ${default})."`
	Budget     int           `name:"collect.series-budget" default:"100000" placeholder:"N" help:"Series on the page at most; above it, the largest groups are shown as sums (default: ${default})."`
	PrintACLs  bool          `name:"print-acls" help:"Print the Kafka ACLs that this needs, with the series that each is for, and end."`
	Principal  string        `name:"principal" placeholder:"NAME" help:"For whom (default: User: and --sasl.username, else User:lakeproof)."`

	kafkaFlags `group:"Kafka"`
	sparkFlags `group:"Spark"`
	serverTLS  `group:"Flags of kafka_exporter"`
	unused     `group:"Flags of kafka_exporter"`
}

// Help implements kong.HelpProvider.
func (*exportCmd) Help() string {
	return `The flags of kafka_exporter mean here what they mean there. SIGHUP and POST /-/reload read the configuration again.

Examples:

    lakeproof export
    lakeproof export kafka --kafka.server=broker:9092 --web.listen-address=:9308
    lakeproof export spark --spark.checkpoint=bronze=s3://datalake/checkpoints/bronze
    lakeproof export kafka --print-acls`
}

// Run implements the command.
func (c *exportCmd) Run(a *app) error {
	if c.PrintACLs {
		return a.print(c.acls())
	}
	ctx, release := a.Signals(context.Background())
	defer release()
	c.warn(a)
	var push pushed
	source := func(context.Context) ([]exporters.Collector, error) {
		collectors, handler, err := c.collectors(a)
		if err == nil {
			push.now.Store(&handler)
		}
		return collectors, err
	}
	collectors, err := source(ctx)
	if err != nil {
		return err
	}
	tel, err := telemetry.Setup(ctx, a.Env, version.Get().Version, a.log)
	if err != nil {
		return err
	}
	defer tel.Shutdown()
	e := exporters.New(exporters.Options{
		Logger: a.log, Mode: exporters.Mode(c.Mode), Budget: c.Budget, StaleAfter: c.StaleAfter, Path: c.Path,
		Source: source,
	}, collectors...)
	defer e.Close()
	tel.Export(e)
	return c.serve(ctx, a, e, &push)
}

// pushed hands what jobs push to the collectors that are loaded now.
type pushed struct{ now atomic.Pointer[http.Handler] }

// ServeHTTP implements http.Handler.
func (p *pushed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := p.now.Load(); h != nil && *h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	http.Error(w, "pushes are not taken: start with --spark.push", http.StatusNotFound)
}

// serve serves until the context ends.
func (c *exportCmd) serve(ctx context.Context, a *app, e *exporters.Exporter, push http.Handler) error {
	pages, err := e.Handler()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/v1/spark/progress", push)
	web, done, err := c.web()
	if err != nil {
		return err
	}
	defer done()
	server, err := telemetry.Serve(ctx, web, mux, a.log)
	if err != nil {
		return err
	}
	a.say("serving http://%s%s", server.Addr, c.Path)
	if a.Hangups != nil {
		go func() {
			for range received(ctx, a.Hangups(ctx)) {
				_ = e.Reload(ctx) // says what is wrong in the log
			}
		}()
	}
	e.Run(ctx)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := server.Close(ending); err != nil {
		a.log.Warn("the HTTP server did not end well", "err", err)
	}
	return nil
}

// received yields what comes from a channel until the context ends.
func received(ctx context.Context, from <-chan struct{}) func(func(int) bool) {
	return func(yield func(int) bool) {
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-from:
				if !yield(n) {
					return
				}
			}
		}
	}
}

// collectors makes the collectors of what is configured now, and the handler
// that takes what jobs push (nil for none).
func (c *exportCmd) collectors(a *app) ([]exporters.Collector, http.Handler, error) {
	lab, err := a.lab()
	if err != nil {
		if a.globals.Config != "" || !c.standsAlone() {
			return nil, nil, err
		}
		lab = config.Lab{Name: "default"} // the flags say it all
	}
	return c.of(a, lab)
}

// of makes the collectors of a lab.
func (c *exportCmd) of(a *app, lab config.Lab) ([]exporters.Collector, http.Handler, error) {
	clusters, err := c.clusters(lab, a.Lookup)
	if err != nil {
		return nil, nil, err
	}
	var all []exporters.Collector
	var push http.Handler
	if c.wants("kafka", len(clusters) > 0) {
		made, err := c.kafkaCollectors(a, lab)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, made...)
	}
	if c.wants("spark", len(lab.Spark) > 0 || c.sparkFlags.any()) {
		made, handler, err := c.sparkCollectors(a, lab)
		if err != nil {
			closeAll(all)
			return nil, nil, err
		}
		all, push = append(all, made...), handler
	}
	if len(all) == 0 {
		return nil, nil, fail.New(fail.Usage,
			"give --kafka.server or --spark.url, or configure kafka or spark in lakeproof.yaml",
			"choosing what to export: nothing is configured")
	}
	return all, push, nil
}

func closeAll(collectors []exporters.Collector) {
	for _, c := range collectors {
		if c.Close != nil {
			c.Close()
		}
	}
}

// standsAlone reports whether the flags say where a system is.
func (c *exportCmd) standsAlone() bool { return len(c.Servers) > 0 || c.sparkFlags.any() }

// wants reports whether a system is to be watched: it is named, or nothing is
// and it is configured.
func (c *exportCmd) wants(system string, configured bool) bool {
	if len(c.Systems) > 0 {
		return slices.Contains(c.Systems, system)
	}
	return configured
}

// serverTLS are kafka_exporter's flags for TLS on its page.
type serverTLS struct {
	ServerTLS  bool   `name:"server.tls.enabled" hidden:"" help:"Serve TLS."`
	MutualAuth bool   `name:"server.tls.mutual-auth-enabled" hidden:"" help:"Ask clients for a certificate."`
	ServerCA   string `name:"server.tls.ca-file" hidden:"" help:"Who signs the clients' certificates."`
	ServerCert string `name:"server.tls.cert-file" hidden:"" help:"The page's certificate."`
	ServerKey  string `name:"server.tls.key-file" hidden:"" help:"Its key."`
}

// web is where to serve. kafka_exporter's flags for TLS become a file of the
// exporter toolkit, which done removes.
func (c *exportCmd) web() (where telemetry.Web, done func(), err error) {
	where, done = telemetry.Web{Address: c.Listen, ConfigFile: c.WebConfig}, func() {}
	if !c.ServerTLS {
		return where, done, nil
	}
	if c.WebConfig != "" {
		return where, done, fail.New(fail.Usage, "use one of the two",
			"reading --server.tls.enabled: --web.config.file is given too")
	}
	file, err := os.CreateTemp("", "lakeproof-web-*.yml")
	if err != nil {
		return where, done, fmt.Errorf("writing the web configuration: %w", err)
	}
	done = func() { _ = os.Remove(file.Name()) } // a leftover holds no secret
	text := fmt.Sprintf("tls_server_config:\n  cert_file: %q\n  key_file: %q\n", c.ServerCert, c.ServerKey)
	if c.MutualAuth {
		text += fmt.Sprintf("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: %q\n", c.ServerCA)
	}
	if _, err := file.WriteString(text); err != nil {
		return where, done, fmt.Errorf("writing the web configuration: %w", err)
	}
	if err := file.Close(); err != nil {
		return where, done, fmt.Errorf("writing the web configuration: %w", err)
	}
	where.ConfigFile = file.Name()
	return where, done, nil
}

// unused are flags of kafka_exporter that are accepted and change nothing,
// because there is no need of them here.
type unused struct {
	Handshake   bool          `name:"sasl.handshake" default:"true" negatable:"" hidden:"" help:"No effect: the handshake is always made."`
	Sarama      bool          `name:"log.enable-sarama" hidden:"" help:"No effect: see --log.level."`
	Verbosity   int           `name:"verbosity" hidden:"" help:"No effect: see --log.level."`
	Version     string        `name:"kafka.version" hidden:"" help:"No effect: versions are negotiated."`
	Refresh     time.Duration `name:"refresh.metadata" default:"30s" hidden:"" help:"No effect: each collection reads the metadata."`
	ShowAll     bool          `name:"offset.show-all" default:"true" negatable:"" hidden:"" help:"No effect: all committed offsets are shown."`
	Concurrent  bool          `name:"concurrent.enable" hidden:"" help:"No effect: brokers are asked at the same time."`
	Workers     int           `name:"topic.workers" default:"100" hidden:"" help:"No effect: topics are asked together."`
	ZooLag      bool          `name:"use.consumelag.zookeeper" hidden:"" help:"Not there: ZooKeeper keeps no offsets any more."`
	ZooServers  []string      `name:"zookeeper.server" hidden:"" help:"Not there: ZooKeeper keeps no offsets any more."`
	AllowConcur bool          `name:"allow-concurrency" hidden:"" help:"No effect."`
}

// warn says what was asked for and is not there.
func (c *exportCmd) warn(a *app) {
	if c.ZooLag {
		a.log.Warn("offsets in ZooKeeper are not read: consumers keep them in Kafka since 0.9",
			"flag", "--use.consumelag.zookeeper")
	}
}
