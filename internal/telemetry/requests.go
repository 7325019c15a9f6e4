package telemetry

import (
	"context"
	"sync"
	"time"
)

// Request is one question that was put to a system.
type Request struct {
	What  string // such as "GET http://127.0.0.1:4040/api/v1/applications" or "Metadata v12 to broker 1"
	Began time.Time
	Took  time.Duration
	Bytes int64 // of the answer's body; 0 where nobody counted
	Err   error
}

// Requests takes down what was asked on behalf of one context. It is safe for
// concurrent use and keeps the first 1,000; Count and Bytes go on.
type Requests struct {
	mu    sync.Mutex
	list  []Request
	count int
	bytes int64
}

const maxRequests = 1000

type requestsKey struct{}

// WithRequests returns a context whose requests are taken down.
func WithRequests(ctx context.Context) (context.Context, *Requests) {
	r := &Requests{}
	return context.WithValue(ctx, requestsKey{}, r), r
}

// RequestDone takes a request down where the context asks for it.
func RequestDone(ctx context.Context, done Request) {
	r, ok := ctx.Value(requestsKey{}).(*Requests)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.bytes += done.Bytes
	if len(r.list) < maxRequests {
		r.list = append(r.list, done)
	}
}

// List returns the requests in the order in which they ended.
func (r *Requests) List() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.list...)
}

// Count returns how many requests there were.
func (r *Requests) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Bytes returns how many bytes their answers had.
func (r *Requests) Bytes() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}
