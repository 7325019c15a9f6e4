package cli

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/exporters/kafka"
	"github.com/lakeproof/lakeproof/exporters/spark"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/catalog"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/objectstore"
)

// sparkFlags say where Spark is, beside the lab's configuration.
type sparkFlags struct {
	SparkURL        map[string]string `name:"spark.url" mapsep:"none" placeholder:"APP=URL" help:"A driver's UI, such as bronze=http://127.0.0.1:4040; repeatable."`
	SparkCheckpoint map[string]string `name:"spark.checkpoint" mapsep:"none" placeholder:"APP=URI" help:"A query's checkpoint, on file:// or s3://; repeatable."`
	SparkPrefix     []string          `name:"spark.checkpoint-prefix" placeholder:"URI" help:"A folder of checkpoints: each one below it is a query; repeatable."`
	SparkTable      map[string]string `name:"spark.table" mapsep:"none" placeholder:"QUERY=TABLE" help:"The Iceberg table that a query writes, to compare its snapshots with the batches; repeatable."`
	SparkHistory    string            `name:"spark.history" placeholder:"URL" help:"A History Server."`
	SparkMaster     string            `name:"spark.master" placeholder:"URL" help:"The web page of a standalone master."`
	SparkKubernetes bool              `name:"spark.kubernetes" help:"Find drivers among the pods of the cluster that this runs in."`
	SparkNamespace  string            `name:"spark.namespace" placeholder:"NAME" help:"Only pods of this namespace (default: the exporter's own)."`
	SparkTokenFile  string            `name:"spark.token-file" placeholder:"FILE" help:"Bearer token of the UIs and the History Server."`
	SparkCAFile     string            `name:"spark.ca-file" placeholder:"FILE" help:"Who signs their certificates (default: the system's roots)."`
	SparkPush       bool              `name:"spark.push" help:"Take the progress that jobs send to POST /v1/spark/progress."`
	SparkPushToken  string            `name:"spark.push-token-file" placeholder:"FILE" help:"Bearer token that jobs must show."`
}

func (f *sparkFlags) any() bool {
	return len(f.SparkURL)+len(f.SparkCheckpoint)+len(f.SparkPrefix) > 0 ||
		f.SparkHistory != "" || f.SparkMaster != "" || f.SparkKubernetes || f.SparkPush
}

// sparkCollectors makes the collector of all applications, and the handler of
// what jobs push (nil where that is not asked for).
func (c *exportCmd) sparkCollectors(a *app, lab config.Lab) ([]exporters.Collector, http.Handler, error) {
	store, err := objectstore.New(lab.Storage)
	if err != nil {
		return nil, nil, err
	}
	follower, err := c.follower(a, lab)
	if err != nil {
		return nil, nil, err
	}
	streams, err := c.streams(lab, store)
	if err != nil {
		return nil, nil, err
	}
	if follower != nil {
		streams.Offsets = follower
	}
	opts := spark.Options{
		StreamOptions: streams,
		Apps:          c.sparkApps(lab),
		Folders:       store,
		HTTP:          httpjson.Options{TokenFile: c.SparkTokenFile, CAFile: c.SparkCAFile},
		Interval:      c.Interval,
	}
	for _, uri := range c.SparkPrefix {
		opts.Checkpoints = append(opts.Checkpoints, spark.Prefix{URI: uri})
	}
	if c.SparkHistory != "" {
		opts.History = []string{c.SparkHistory}
	}
	if c.SparkMaster != "" {
		opts.Masters = []spark.Master{{URL: c.SparkMaster}}
	}
	if c.SparkKubernetes {
		opts.Kubernetes = &spark.Kubernetes{}
		if c.SparkNamespace != "" {
			opts.Kubernetes.Namespaces = []string{c.SparkNamespace}
		}
	}
	all, push, err := c.sparkJobs(a, opts)
	if err == nil && follower != nil {
		all[0].Close = both(all[0].Close, follower.Close)
	}
	return all, push, err
}

// sparkJobs makes the collector with or without the handler of pushes.
func (c *exportCmd) sparkJobs(a *app, opts spark.Options) ([]exporters.Collector, http.Handler, error) {
	if !c.SparkPush {
		all, err := spark.Collectors(opts, a.log)
		return all, nil, err
	}
	if c.SparkPushToken != "" {
		text, err := os.ReadFile(c.SparkPushToken)
		if err != nil {
			return nil, nil, fail.Wrap(fmt.Errorf("reading --spark.push-token-file: %w", err), fail.Usage,
				"the file must be readable")
		}
		opts.Token = config.NewSecret(strings.TrimSpace(string(text)))
	}
	return spark.CollectorsWithPush(opts, a.log)
}

// both calls one function after the other; the first may be nil.
func both(first, second func()) func() {
	return func() {
		if first != nil {
			first()
		}
		second()
	}
}

// follower asks the lab's cluster about the topics that queries read; nil where
// there is none.
func (c *exportCmd) follower(a *app, lab config.Lab) (*kafka.Follower, error) {
	clusters, err := c.clusters(lab, a.Lookup)
	cfg, ok := clusters[lab.Name]
	if err != nil || !ok {
		return nil, err
	}
	return kafka.NewFollower(lab.Name, cfg, a.log)
}

// streams says where the streaming queries' checkpoints and tables are.
func (c *exportCmd) streams(lab config.Lab, store *objectstore.Store) (spark.StreamOptions, error) {
	opts := spark.StreamOptions{Files: store, TableOf: c.SparkTable}
	if lab.Catalog.URI == "" || len(c.SparkTable) == 0 {
		return opts, nil
	}
	client, err := catalog.New(lab.Catalog, catalog.Options{})
	if err != nil {
		return opts, err
	}
	opts.Tables = client
	return opts, nil
}

// sparkApps joins the applications of the lab with those of the flags.
func (c *exportCmd) sparkApps(lab config.Lab) []spark.App {
	byName := map[string]*spark.App{}
	of := func(name string) *spark.App {
		if byName[name] == nil {
			byName[name] = &spark.App{Name: name}
		}
		return byName[name]
	}
	for _, s := range lab.Spark {
		app := of(s.App)
		app.UI = s.UI
		if s.Checkpoint != "" {
			app.Checkpoints = append(app.Checkpoints, s.Checkpoint)
		}
	}
	for name, url := range c.SparkURL {
		of(name).UI = url
	}
	for name, uri := range c.SparkCheckpoint {
		of(name).Checkpoints = append(of(name).Checkpoints, uri)
	}
	var out []spark.App
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, *byName[name])
	}
	return out
}
