package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// contactTimeout bounds the whole first contact.
const contactTimeout = 9 * time.Second

// Dial makes a client and proves that it works: a seed broker answers, the
// login succeeds, and the addresses that the cluster advertises can be
// connected to. It takes less than 10 s. The caller closes the client.
func Dial(ctx context.Context, cfg config.Kafka, logger *slog.Logger, extra ...kgo.Opt) (*kgo.Client, error) {
	opts, err := Options(cfg, logger)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("making the Kafka client: %w", err), fail.Usage,
			"write kafka.brokers as host:port")
	}
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	if err := contact(ctx, cl, cfg, logger); err != nil {
		cl.Close()
		return nil, err
	}
	return cl, nil
}

// contact asks a seed for the cluster and then every broker of the cluster for
// a sign of life.
func contact(ctx context.Context, cl *kgo.Client, cfg config.Kafka, logger *slog.Logger) error {
	meta, err := askSeeds(ctx, cl, cfg)
	if err != nil {
		return err
	}
	if len(meta.Brokers) == 0 {
		return fail.New(fail.Unreachable, "wait until the cluster has started",
			"connecting to Kafka at %s: it knows no broker yet", strings.Join(cfg.Brokers, ", "))
	}
	dead := askAdvertised(ctx, cfg, meta.Brokers)
	if len(dead) == len(meta.Brokers) {
		return dead[0]
	}
	for _, err := range dead {
		logger.Warn("a broker of the cluster cannot be reached", "err", err)
	}
	// Only now is the client let loose on the addresses: it would retry bad
	// ones for as long as it lives.
	if err := cl.Ping(ctx); err != nil {
		return explain(err, strings.Join(cfg.Brokers, ", "), cfg)
	}
	return nil
}

// askSeeds asks all seeds at once and returns the first answer; when none
// answers, the most telling error.
func askSeeds(ctx context.Context, cl *kgo.Client, cfg config.Kafka) (*kmsg.MetadataResponse, error) {
	type answer struct {
		meta *kmsg.MetadataResponse
		seed int
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, config.DialTimeout)
	defer cancel()
	seeds := cl.SeedBrokers()
	answers := make(chan answer, len(seeds))
	for i, b := range seeds {
		go func() {
			req := kmsg.NewPtrMetadataRequest()
			req.Topics = []kmsg.MetadataRequestTopic{} // none, rather than all
			resp, err := b.Request(ctx, req)
			meta, _ := resp.(*kmsg.MetadataResponse)
			answers <- answer{meta, i, err}
		}()
	}
	var worst error
	for range seeds {
		a := <-answers
		if a.err == nil && a.meta != nil {
			return a.meta, nil
		}
		address := strings.Join(cfg.Brokers, ", ")
		if len(seeds) == len(cfg.Brokers) {
			address = cfg.Brokers[a.seed]
		}
		if err := explain(a.err, address, cfg); worst == nil || telling(a.err) {
			worst = err
		}
	}
	return nil, worst
}

// telling reports whether an error says more than that nobody is there.
func telling(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) && !errors.Is(err, context.DeadlineExceeded)
}

// askAdvertised connects to the address of every broker and returns an error
// for each that does not accept.
func askAdvertised(ctx context.Context, cfg config.Kafka, brokers []kmsg.MetadataResponseBroker) []error {
	ctx, cancel := context.WithTimeout(ctx, config.DialTimeout/2)
	defer cancel()
	results := make(chan error, len(brokers))
	for _, b := range brokers {
		go func() { results <- connect(ctx, cfg, b) }()
	}
	var dead []error
	for range brokers {
		if err := <-results; err != nil {
			dead = append(dead, err)
		}
	}
	return dead
}

func connect(ctx context.Context, cfg config.Kafka, b kmsg.MetadataResponseBroker) error {
	address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fail.Wrap(fmt.Errorf("connecting to broker %d at %s, the address that Kafka at %s advertises: %w",
			b.NodeID, address, strings.Join(cfg.Brokers, ", "), err), fail.Unreachable,
			fmt.Sprintf("set advertised.listeners of broker %d to an address that this machine can reach, "+
				"or make %s reachable from here",
				b.NodeID, address))
	}
	return conn.Close()
}
