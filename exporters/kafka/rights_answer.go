package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lakeproof/lakeproof/exporters"
)

// inquiry is one API being asked, and what becomes of its answers.
type inquiry struct {
	w   *wire
	out *exporters.Batch
	api string
}

// good reports whether there is an answer to read. What is wrong otherwise costs
// what it has to: a missing right and an API that the cluster does not have
// leave the part without series, anything else fails it.
func (q inquiry) good(p *exporters.Part, err error) bool {
	switch {
	case err == nil:
		q.out.Authorized(q.api, true)
		return true
	case isDenied(err):
		q.deny(err)
	case isAbsent(err):
	default:
		p.Fail(err)
	}
	return false
}

// deny says that a right is missing: each time as a metric, the first time as
// a line in the log, with what it costs.
func (q inquiry) deny(err error) {
	q.out.Authorized(q.api, false)
	if q.w.once("denied " + q.api) {
		q.out.Log().Warn("a right is missing; its families are not shown", "api", q.api, "err", err,
			"families", strings.Join(costs(q.api), " "), "hint", "lakeproof export kafka --print-acls")
	}
}

// odd tells once of an item of an answer that cannot be read; the others can.
func (q inquiry) odd(item string, code int16) {
	err := kerr.ErrorForCode(code)
	if q.w.once(fmt.Sprintf("%s: %v", q.api, err)) {
		q.out.Log().Warn("a broker does not tell of something", "api", q.api, "what", item, "err", err)
	}
}

// code makes an error of an answer's code.
func (q inquiry) code(code int16) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("asking for %s: %w", q.api, kerr.ErrorForCode(code))
}

// isDenied reports whether a right is missing.
func isDenied(err error) bool {
	return isOneOf(err, kerr.ClusterAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed,
		kerr.TransactionalIDAuthorizationFailed, kerr.DelegationTokenAuthorizationFailed)
}

// isAbsent reports whether the cluster does not have what was asked for: too
// old a broker, ZooKeeper instead of KRaft, or no authorizer. The client's own
// two errors for it have no names.
func isAbsent(err error) bool {
	return isOneOf(err, kerr.UnsupportedVersion, kerr.SecurityDisabled) ||
		strings.Contains(err.Error(), "broker is too old") || strings.Contains(err.Error(), "request key is unknown")
}

// isGone reports whether an item was deleted between two requests.
func isGone(code int16) bool {
	return code == kerr.UnknownTopicOrPartition.Code || code == kerr.UnknownTopicID.Code ||
		code == kerr.ResourceNotFound.Code
}

func isOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// anyAnswer asks one broker what all of them know: the controller, or else the
// one that answered last; and when that does not answer, one more.
func anyAnswer[A kmsg.Response](ctx context.Context, w *wire, s *snapshot, ask func() kmsg.Request) (A, error) {
	var none A
	var first error
	for _, id := range w.likely(s) {
		answer, err := question[A](ctx, w, id, ask())
		if err == nil || isAbsent(err) || errors.Is(err, errType) {
			return answer, err
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if first == nil {
		first = errNoBroker
	}
	return none, first
}

var errNoBroker = errors.New("the cluster's metadata lists no broker")

// likely returns up to two brokers that will answer, the best first.
func (w *wire) likely(s *snapshot) []int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]int32, 0, len(s.brokers))
	for _, b := range s.brokers {
		ids = append(ids, b.id)
	}
	rank := func(id int32) int {
		p, known := w.peers[id]
		switch {
		case known && !p.stalled.IsZero():
			return 2
		case id == s.controller:
			return 0
		default:
			return 1
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int {
		if ra, rb := rank(a), rank(b); ra != rb {
			return ra - rb
		}
		pa, pb := w.peers[a], w.peers[b]
		if pa == nil || pb == nil {
			return 0
		}
		return pb.answered.Compare(pa.answered)
	})
	return ids[:min(len(ids), 2)]
}
