package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// askTimeout bounds one request to one broker: less than a collection, so that
// a broker that stalls costs its own answers only.
const askTimeout = 3 * time.Second

// wire sends single requests to brokers of its choice. Nothing is repeated and
// nothing is asked that the caller did not ask for: the number of requests is
// part of the contract.
type wire struct {
	cl   *kgo.Client
	sent atomic.Int64 // requests since the client was made
}

// ask sends a request to one broker, by its node id.
func (w *wire) ask(ctx context.Context, broker int32, req kmsg.Request) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	w.sent.Add(1)
	began := time.Now()
	resp, err := w.cl.Broker(int(broker)).Request(ctx, req)
	what := fmt.Sprintf("%s v%d to broker %d", kmsg.NameForKey(req.Key()), req.GetVersion(), broker)
	telemetry.RequestDone(ctx, telemetry.Request{What: what, Began: began, Took: time.Since(began), Err: err})
	if err != nil {
		return nil, fmt.Errorf("asking broker %d for %s: %w", broker, kmsg.NameForKey(req.Key()), err)
	}
	return resp, nil
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
