package spark

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	sparklog "github.com/lakeproof/lakeproof/internal/lakehouse/spark"
)

const (
	maxPush     = 1 << 20 // bytes of one push
	readTimeout = 10 * time.Second
)

// The events of a StreamingQueryListener, as deploy/spark/progress_listener.py
// names them.
const (
	eventStarted    = "started"
	eventProgress   = "progress"
	eventIdle       = "idle"
	eventTerminated = "terminated"
)

// PushHandler takes POST /v1/spark/progress: a JSON object with the
// application's name in app, the event (progress, started, idle or terminated),
// the number of events that the listener dropped, and either a
// StreamingQueryProgress in progress or the query's id, run_id and name.
func (s *streams) PushHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "use POST", http.StatusMethodNotAllowed)
			return
		}
		if !s.allowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a bearer token is needed", http.StatusUnauthorized)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout)) // where the server can
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			http.Error(w, fmt.Sprintf("a push has at most %d bytes", maxPush), http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the body could not be read", http.StatusBadRequest)
			return
		}
		m, err := parsePush(body)
		if err != nil {
			s.logger.Debug("a push of progress was refused", "err", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !s.pushes.add(m) {
			http.Error(w, "too many applications or queries push here", http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func (s *streams) allowed(r *http.Request) bool {
	want := "Bearer " + s.o.Token.Reveal()
	return s.o.Token.IsZero() || subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) == 1
}

// pushedApps returns the applications that pushed within a time.
func (s *streams) pushedApps(within time.Duration) []string { return s.pushes.names(within) }

func parsePush(body []byte) (push, error) {
	var j struct {
		App      string          `json:"app"`
		Event    string          `json:"event"`
		ID       string          `json:"id"`
		RunID    string          `json:"run_id"`
		Name     string          `json:"name"`
		Dropped  int64           `json:"dropped"`
		Progress json.RawMessage `json:"progress"`
	}
	if err := json.Unmarshal(sparklog.Finite(body), &j); err != nil {
		return push{}, fmt.Errorf("reading the push: %w", err)
	}
	m := push{app: j.App, event: j.Event, id: j.ID, runID: j.RunID, name: j.Name, dropped: max(0, j.Dropped)}
	switch m.event {
	case eventProgress:
		p, err := sparklog.ParseProgress(j.Progress)
		if err != nil {
			return push{}, fmt.Errorf("reading the push: %w", err)
		}
		m.progress, m.id, m.runID, m.name = p, p.QueryID, p.RunID, p.Name
	case eventStarted, eventIdle, eventTerminated:
	default:
		return push{}, fmt.Errorf("reading the push: unknown event %.40q", m.event)
	}
	if m.app == "" || m.id == "" || max(len(m.app), len(m.id), len(m.runID), len(m.name)) > maxName {
		return push{}, errors.New("reading the push: app and id are needed, and not longer than 200 bytes")
	}
	return m, nil
}
