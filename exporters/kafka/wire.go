package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/telemetry"
)

const (
	// askTimeout bounds one request to one broker: less than a collection, so
	// that a broker that stalls costs its own answers only.
	askTimeout = 3 * time.Second
	// restTime is for how much longer than a request a broker that did not answer
	// is not asked at all: the rest of the collection in which it stalled, and the
	// whole of one that begins meanwhile, which has no time to try it again half-way.
	restTime = time.Second
)

// wire sends single requests to brokers of its choice. Nothing is repeated and
// nothing is asked that the caller did not ask for: the number of requests is
// part of the contract.
//
// Brokers are addressed by the seeds of the client, one slot each, and not by
// the client's own map of the cluster, which it would keep by further requests.
type wire struct {
	cl    *kgo.Client
	limit time.Duration // of one request; a broker that did not answer last time has half of it
	sent  atomic.Int64  // requests since the client was made

	mu    sync.Mutex
	cycle uint64          // collections so far
	addrs []string        // of the seeds; the first are those of the configuration
	boot  int             // how many those are
	peers map[int32]*peer // by node id
	// watch sees every answer; nil for nobody. It does not keep the caller waiting.
	watch func(broker int32, resp kmsg.Response)
	said  map[string]bool // what was logged, so that it is logged once
}

// peer is a broker that metadata told of.
type peer struct {
	slot     int // index into addrs; it never changes its broker
	node     *kgo.Broker
	answered time.Time // last
	stalled  time.Time // since when it does not answer; zero while it does
	rests    uint64    // the collection in which it was not asked for that
	doubted  uint64    // the collection in which it left a question open, perhaps for a reason; 0 since it answered
}

func newWire(cl *kgo.Client, addrs []string) *wire {
	return &wire{
		cl: cl, limit: askTimeout, addrs: slices.Clone(addrs), boot: len(addrs),
		peers: map[int32]*peer{}, said: map[string]bool{},
	}
}

// errStalled is what one gets who asks a broker that has just not answered.
var errStalled = errors.New("it did not answer a moment ago")

// ask sends a request to one broker, by its node id.
func (w *wire) ask(ctx context.Context, broker int32, req kmsg.Request) (kmsg.Response, error) {
	node, limit, err := w.find(broker, time.Now())
	if err != nil {
		return nil, fmt.Errorf("asking broker %d for %s: %w", broker, kmsg.NameForKey(req.Key()), err)
	}
	if d, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		limit = max(limit, d)
	}
	collection := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	needy := asksOthers(req)
	if needy {
		req = aside{req}
	}
	began := time.Now()
	resp, err := w.send(ctx, node, "broker "+strconv.Itoa(int(broker)), req)
	if err == nil || collection.Err() == nil { // cut short says nothing
		w.note(broker, began, needy, err)
	}
	if err == nil && w.watch != nil {
		w.watch(broker, resp)
	}
	return resp, err
}

// asksOthers reports whether a broker asks another one before it answers: the
// controller, or whoever keeps the state of a share group. That there is no
// answer then need not be the broker's own fault; it has less time for the next
// question, so that something is left of the collection if it is.
func asksOthers(req kmsg.Request) bool {
	switch kmsg.Key(req.Key()) {
	case kmsg.DescribeQuorum, kmsg.ListPartitionReassignments, kmsg.DescribeShareGroupOffsets:
		return true
	default:
		return false
	}
}

// aside is a request on a connection apart. A broker answers the requests of a
// connection one after another: one that waits for somebody who does not answer
// would hold up all that follow. The client has a second connection for requests
// that have a time limit, and goes by this method.
type aside struct{ kmsg.Request }

// Timeout implements kmsg.TimeoutRequest.
func (aside) Timeout() int32 { return int32(askTimeout.Milliseconds()) }

type patienceKey struct{}

// patient returns a context whose requests may take as long as d.
func patient(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

// send is one request.
func (w *wire) send(ctx context.Context, to *kgo.Broker, name string, req kmsg.Request) (kmsg.Response, error) {
	w.sent.Add(1)
	began := time.Now()
	resp, err := to.Request(ctx, req)
	what := fmt.Sprintf("%s v%d to %s", kmsg.NameForKey(req.Key()), req.GetVersion(), name)
	telemetry.RequestDone(ctx, telemetry.Request{What: what, Began: began, Took: time.Since(began), Err: err})
	if err != nil {
		return nil, fmt.Errorf("asking %s for %s: %w", name, kmsg.NameForKey(req.Key()), err)
	}
	return resp, nil
}

// find returns how to reach a broker and how long to wait for it.
func (w *wire) find(broker int32, now time.Time) (*kgo.Broker, time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.peers[broker]
	switch {
	case !ok:
		return w.cl.Broker(int(broker)), w.limit, nil
	case p.stalled.IsZero() && p.doubted == w.cycle && w.cycle > 0:
		return p.node, w.limit / 3, nil
	case p.stalled.IsZero():
		return p.node, w.limit, nil
	case now.Sub(p.stalled) < w.limit+restTime, p.rests == w.cycle && w.cycle > 0:
		p.rests = w.cycle
		return nil, 0, errStalled
	default:
		return p.node, w.limit / 2, nil
	}
}

// begin begins a collection.
func (w *wire) begin() {
	w.mu.Lock()
	w.cycle++
	w.mu.Unlock()
}

// note remembers whether a broker answered. One that left open what it had to ask
// others, or answered something else after it was asked, may be slow and not stall;
// or it halted since.
func (w *wire) note(broker int32, began time.Time, needy bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.peers[broker]
	switch {
	case !ok:
	case err == nil:
		p.answered, p.stalled, p.doubted = time.Now(), time.Time{}, 0
	case !errors.Is(err, context.DeadlineExceeded):
	case needy || !p.answered.Before(began):
		p.doubted = w.cycle
	default:
		p.stalled = time.Now()
	}
}

// know takes over the brokers that metadata told of. New addresses end the
// connections that are open, so it does nothing while there are none.
func (w *wire) know(brokers []broker) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.addrs) > 2*len(brokers)+w.boot+16 { // too many slots of brokers that are gone
		w.addrs, w.peers = w.addrs[:w.boot:w.boot], map[int32]*peer{}
	}
	changed := false
	ids := make(map[int32]bool, len(brokers))
	for _, b := range brokers {
		ids[b.id] = true
		addr := net.JoinHostPort(b.host, strconv.Itoa(int(b.port)))
		if p, ok := w.peers[b.id]; ok && w.addrs[p.slot] == addr {
			continue
		}
		slot := slices.Index(w.addrs[:w.boot], addr)
		if slot < 0 {
			slot = len(w.addrs)
			w.addrs = append(w.addrs, addr)
			changed = true
		}
		w.peers[b.id] = &peer{slot: slot}
	}
	for id := range w.peers {
		if !ids[id] {
			delete(w.peers, id)
		}
	}
	if changed {
		if err := w.cl.UpdateSeedBrokers(w.addrs...); err != nil {
			return fmt.Errorf("taking over the brokers' addresses: %w", err)
		}
	}
	seeds := w.cl.SeedBrokers()
	for _, p := range w.peers {
		p.node = seeds[p.slot]
	}
	return nil
}

// maxSaid bounds what is remembered as said.
const maxSaid = 1000

// once reports whether this is the first time that something is said.
func (w *wire) once(what string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[what] || len(w.said) >= maxSaid {
		return false
	}
	w.said[what] = true
	return true
}

// errType is what a broker's answer of another kind is.
var errType = errors.New("the answer is of another kind")

// question sends a request to one broker and returns its answer by type.
func question[A kmsg.Response](ctx context.Context, w *wire, broker int32, req kmsg.Request) (A, error) {
	var none A
	resp, err := w.ask(ctx, broker, req)
	if err != nil {
		return none, err
	}
	answer, ok := resp.(A)
	if !ok {
		return none, fmt.Errorf("asking broker %d for %s: %w", broker, kmsg.NameForKey(req.Key()), errType)
	}
	return answer, nil
}
