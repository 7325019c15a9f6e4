package spark

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
	"github.com/lakeproof/lakeproof/internal/lakehouse/kube"
	lakespark "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

// Defaults of [Options].
const (
	DefaultMaxApps = 200
	DefaultWorkers = 32
	DefaultKeep    = 15 * time.Minute
	DefaultTimeout = 10 * time.Second
)

// Options say where to look for applications, and how to ask them. Every zero
// value has a default; without a source there is nothing to collect.
type Options struct {
	StreamOptions

	Apps        []App       // known by their addresses
	Kubernetes  *Kubernetes // nil: do not ask Kubernetes
	History     []string    // addresses of History Servers
	Masters     []Master    // of standalone clusters
	Checkpoints []Prefix    // folders with checkpoints in them
	Folders     Folders     // lists Checkpoints

	HTTP     httpjson.Options // token, CA, time-out and limit for everything that is a Spark UI
	Interval time.Duration    // default 15 s
	Timeout  time.Duration    // of one collection; default 10 s
	MaxApps  int              // default 200
	Workers  int              // applications asked at once; default 32
	Keep     time.Duration    // how long the last values of an ended application stay; default 15 min
}

// App is an application at an address.
type App struct {
	Name        string   // default: the name that its driver tells
	UI          string   // such as http://driver:4040; may be empty where there are checkpoints
	Checkpoints []string // of its queries, each a location, or query=location
}

// Kubernetes says in which namespaces drivers run.
type Kubernetes struct {
	kube.Options
	Namespaces []string // default: our own; "*" is all
}

// Master is a standalone master.
type Master struct {
	URL   string // of its UI, such as http://master:8080
	Proxy bool   // it serves its applications' UIs (spark.ui.reverseProxy): collect them
}

// Prefix is a folder with checkpoints below it.
type Prefix struct {
	App string // that they belong to; default: the one that says so, else the checkpoint's folder
	URI string // such as s3a://bucket/checkpoints
}

// Collectors returns the collector of all applications. It asks nobody anything
// yet; an error is about the options.
func Collectors(o Options, logger *slog.Logger) ([]exporters.Collector, error) {
	c, err := newCollector(o, logger)
	if err != nil {
		return nil, err
	}
	if len(c.static)+len(c.sources) == 0 {
		return nil, fail.New(fail.Usage,
			"give the address of a driver's UI, a History Server, a master, checkpoints, or look in Kubernetes",
			"setting up the Spark exporter: no source of applications")
	}
	return c.collectors(), nil
}

// CollectorsWithPush returns the same, and what takes the progress that jobs
// push. It needs no other source: who pushes is an application.
func CollectorsWithPush(o Options, logger *slog.Logger) ([]exporters.Collector, http.Handler, error) {
	c, err := newCollector(o, logger)
	if err != nil {
		return nil, nil, err
	}
	c.pushed = true
	return c.collectors(), c.streams.PushHandler(), nil
}

func (c *collector) collectors() []exporters.Collector {
	return []exporters.Collector{{
		Name:     "spark",
		Interval: cmp.Or(c.o.Interval, exporters.DefaultInterval),
		Timeout:  cmp.Or(c.o.Timeout, DefaultTimeout),
		Cost:     "at most 6 GET requests and some 300 KB for each application, and 2 to 4 small files for each checkpoint",
		Collect:  c.collect,
		Close:    c.close,
	}}
}

func newCollector(o Options, logger *slog.Logger) (*collector, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.MaxApps = cmp.Or(o.MaxApps, DefaultMaxApps)
	o.Workers = cmp.Or(o.Workers, DefaultWorkers)
	o.Keep = cmp.Or(o.Keep, DefaultKeep)
	c := &collector{
		o: o, logger: logger, began: o.Now(), client: lakespark.NewClient(o.HTTP),
		streams: newStreams(o.StreamOptions, logger), names: newNames(), states: map[string]*state{},
	}
	for _, step := range []func() error{c.addApps, c.addPods, c.addHistory, c.addMasters, c.addCheckpoints} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *collector) addApps() error {
	for _, a := range c.o.Apps {
		f := found{source: fromStatic, name: cut(a.Name), ident: a.Name}
		for _, uri := range a.Checkpoints {
			f.checkpoints = append(f.checkpoints, checkpointAt{uri: uri})
		}
		if a.UI != "" {
			base, err := lakespark.BaseOf(a.UI)
			if err != nil {
				return err
			}
			f.ui, f.ident = base, base
			_, address, _ := strings.Cut(base, "://")
			f.other = "@" + address
		}
		if f.ui == "" && f.name == "" {
			return fail.New(fail.Usage, "give the application a name",
				"setting up the Spark exporter: an application without an address")
		}
		c.static = append(c.static, f)
	}
	return nil
}

func (c *collector) addPods() error {
	k := c.o.Kubernetes
	if k == nil {
		return nil
	}
	client, err := kube.New(k.Options)
	if err != nil {
		return err
	}
	c.kube = client
	namespaces := k.Namespaces
	if len(namespaces) == 0 {
		own, err := kube.Namespace()
		if err != nil {
			return err
		}
		namespaces = []string{own}
	}
	for _, n := range namespaces {
		c.sources = append(c.sources, podSource(client, strings.TrimPrefix(n, "*"), c.began))
	}
	return nil
}

func (c *collector) addHistory() error {
	for _, address := range c.o.History {
		ui, err := lakespark.NewUI(c.client, address)
		if err != nil {
			return err
		}
		c.sources = append(c.sources, historySource(ui, c.began, c.o.Now))
	}
	return nil
}

func (c *collector) addMasters() error {
	for _, m := range c.o.Masters {
		ui, err := lakespark.NewUI(c.client, m.URL)
		if err != nil {
			return err
		}
		c.sources = append(c.sources, masterSource(ui, m.Proxy))
	}
	return nil
}

func (c *collector) addCheckpoints() error {
	if len(c.o.Checkpoints) > 0 && c.o.Folders == nil {
		return fmt.Errorf("setting up the Spark exporter: no store to look for checkpoints in")
	}
	for _, p := range c.o.Checkpoints {
		c.sources = append(c.sources, checkpointSource(c.o.Folders, p))
	}
	return nil
}
