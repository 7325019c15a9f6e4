package kafka

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/exporters"
	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

// Options say which cluster is looked at and how closely.
type Options struct {
	Cluster string // what the cluster is called; target of the collectors
	Kafka   config.Kafka
	Labels  []exporters.Label // that every series carries; default none

	// What the flags of kafka_exporter mean: a name counts if it matches the
	// filter and does not match the exclusion. Patterns are not anchored.
	TopicFilter, TopicExclude string // default: all, none
	GroupFilter, GroupExclude string // default: all, none
	// AssignedOnly shows, of groups that have members, only the partitions that
	// are assigned to one (--no-offset.show-all).
	AssignedOnly bool

	Compat  []string // names of other exporters to add; see [Compats]
	Details string   // DetailsWrong (default) or DetailsAll

	// NoTransactions and NoQuorum leave out what asks 7 of 27 requests.
	NoTransactions, NoQuorum bool

	// Checkpoints are consumers that keep their offsets outside Kafka; Files
	// reads them.
	Checkpoints []Checkpoint
	Files       spark.Files

	Interval       time.Duration // default exporters.DefaultInterval
	ConfigInterval time.Duration // of what changes rarely; default 5 min
	Timeout        time.Duration // of one collection; default exporters.DefaultTimeout

	now func() time.Time // default time.Now; recorded answers are read at the time that they were given
}

// Checkpoint is the checkpoint of one Spark Structured Streaming query.
type Checkpoint struct {
	Name string // shown as the name of the group
	URI  string // such as s3://bucket/checkpoints/query
}

// The values of Options.Details: whether the families by partition that
// kafka_exporter does not have show every partition, or those where something
// is wrong.
const (
	DetailsWrong = "wrong-only"
	DetailsAll   = "all"
)

// The values of Options.Compat.
const (
	CompatKafkaExporter    = "kafka_exporter" // always on
	CompatKminion          = "kminion"
	CompatKafkaLagExporter = "kafka-lag-exporter"
)

// Compats returns the values that Options.Compat may have.
func Compats() []string {
	return []string{CompatKafkaExporter, CompatKminion, CompatKafkaLagExporter}
}

// settings are options that were checked.
type settings struct {
	Options
	topics filter
	groups filter
	logger *slog.Logger
}

// filter says which names are of interest.
type filter struct{ in, out *regexp.Regexp }

func (f filter) keeps(name string) bool {
	return (f.in == nil || f.in.MatchString(name)) && (f.out == nil || !f.out.MatchString(name))
}

func check(opts Options, logger *slog.Logger) (settings, error) {
	if opts.Details == "" {
		opts.Details = DetailsWrong
	}
	if opts.ConfigInterval <= 0 {
		opts.ConfigInterval = 5 * time.Minute
	}
	if opts.now == nil {
		opts.now = time.Now
	}
	s := settings{Options: opts, logger: logger}
	var err error
	if s.topics, err = newFilter("topic", opts.TopicFilter, opts.TopicExclude); err != nil {
		return s, err
	}
	if s.groups, err = newFilter("group", opts.GroupFilter, opts.GroupExclude); err != nil {
		return s, err
	}
	for _, name := range opts.Compat {
		if !slices.Contains(Compats(), name) {
			return s, fail.New(fail.Usage, "use "+strings.Join(Compats(), ", "), "reading compat %q: unknown", name)
		}
	}
	if opts.Details != DetailsWrong && opts.Details != DetailsAll {
		return s, fail.New(fail.Usage, "use "+DetailsWrong+" or "+DetailsAll, "reading details %q: unknown", opts.Details)
	}
	return s, checkCheckpoints(opts)
}

func checkCheckpoints(opts Options) error {
	seen := map[string]bool{}
	for _, c := range opts.Checkpoints {
		switch {
		case c.Name == "" || c.URI == "":
			return fail.New(fail.Usage, "give every checkpoint a name and a location",
				"reading checkpoint %q at %q: one of the two is missing", c.Name, c.URI)
		case seen[c.Name]:
			return fail.New(fail.Usage, "give every checkpoint a name of its own",
				"reading checkpoint %q: it is there twice", c.Name)
		case opts.Files == nil:
			return fail.New(fail.Usage, "set storage", "reading checkpoint %q: no store is configured", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

func newFilter(what, in, out string) (filter, error) {
	var f filter
	var err error
	if in != "" {
		if f.in, err = regexp.Compile(in); err != nil {
			return f, badPattern(what+" filter", err)
		}
	}
	if out != "" {
		if f.out, err = regexp.Compile(out); err != nil {
			return f, badPattern(what+" exclusion", err)
		}
	}
	return f, nil
}

func badPattern(what string, err error) error {
	return fail.Wrap(fmt.Errorf("reading the %s: %w", what, err), fail.Usage, "write a regular expression of Go (RE2)")
}

func (s *settings) compat(name string) bool { return slices.Contains(s.Compat, name) }
