package spark

import (
	"errors"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// after is a collection some time later.
func (w *world) after(d time.Duration) page {
	w.t.Helper()
	w.now = w.now.Add(d)
	return w.page()
}

// TestHungIsStalledAndIdleIsNot is the distinction that Spark's own gauges do
// not make: neither of the two drivers commits anything.
func TestHungIsStalledAndIdleIsNot(t *testing.T) {
	for name, test := range map[string]struct {
		arrive int64 // records after the last commit
		reach  reached
		alive  bool
		want   string
	}{
		"hung, its UI too":     {arrive: 5, reach: connected, want: "stalled"},
		"hung, its UI answers": {arrive: 5, alive: true, want: "stalled"},
		"idle":                 {alive: true, want: "idle"},
		"idle and silent":      {reach: silent, want: "idle"},
		"gone":                 {arrive: 5, reach: refused, want: "terminated"},
		"gone with all read":   {reach: refused, want: "terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.running()
			w.page().wantState(t, "idle")
			w.kafka.ends["p"][0] += test.arrive
			w.app.alive, w.reach = test.alive, test.reach
			states := map[time.Duration]string{}
			began := w.now
			for range 60 { // a minute
				p := w.after(time.Second)
				states[w.now.Sub(began)] = p.state()
			}
			// Two triggers after the poll that saw the records.
			if got := states[12*time.Second]; got != test.want {
				t.Errorf("after two triggers it is %s, want %s", got, test.want)
			}
			if got := states[time.Minute]; got != test.want {
				t.Errorf("after a minute it is %s, want %s", got, test.want)
			}
			if got := states[5*time.Second]; got == "stalled" || got == "terminated" {
				t.Errorf("after one trigger it is %s already", got)
			}
		})
	}
}

// TestIdleForLong: the first record after an hour is no stall, and one that is
// not read for two triggers is.
func TestIdleForLong(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.after(time.Hour).wantState(t, "idle")
	w.kafka.ends["p"][0] += 3
	w.after(15*time.Second).wantState(t, "running")
	w.after(9*time.Second).wantState(t, "running")
	w.after(2*time.Second).wantState(t, "stalled")
	w.run(10, w.now, 1003, 1000)
	w.after(2*time.Second).wantState(t, "idle")
}

// TestTimeOfTheRecord: when Kafka says how old the waiting record is, an hour's
// pause between two collections hides nothing, and a wrong clock alarms nobody.
func TestTimeOfTheRecord(t *testing.T) {
	for name, test := range map[string]struct {
		age  time.Duration
		want string
	}{
		"old":             {30 * time.Second, "stalled"},
		"new":             {3 * time.Second, "running"},
		"from the future": {-time.Hour, "running"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.running()
			w.page()
			w.kafka.ends["p"][0]++
			w.kafka.times["p"] = map[int32]time.Time{0: w.now.Add(time.Minute - test.age)}
			p := w.after(time.Minute)
			p.wantState(t, test.want)
			p.want(t, map[string]float64{`kafka_lag_seconds{topic="p"}`: max(0, test.age.Seconds())})
		})
	}
	t.Run("older than what was seen", func(t *testing.T) {
		w := newWorld(t)
		w.running()
		w.page()
		w.kafka.ends["p"][0]++
		w.kafka.times["p"] = map[int32]time.Time{0: w.now.Add(-24 * time.Hour)}
		w.after(9*time.Second).wantState(t, "running")
	})
}

// TestSlowQuery: one whose batches take longer than its trigger is late, not
// stalled.
func TestSlowQuery(t *testing.T) {
	w := newWorld(t)
	w.wipe(queryID)
	for b := range int64(10) {
		at := w.now.Add(time.Duration(b-10) * 40 * time.Second)
		w.plan(b, at, 100*b)
		w.commit(b, at.Add(39*time.Second))
	}
	w.plan(10, w.now, 5000)
	w.kafka.ends["p"] = map[int32]int64{0: 10_000}
	w.page().wantState(t, "running")
	w.after(75*time.Second).wantState(t, "running")
	w.after(60*time.Second).wantState(t, "stalled")
}

// TestKilledAfterASlowBatch: a driver that is gone has ended its queries, however
// slow a batch once was; one that has only moved goes on to commit.
func TestKilledAfterASlowBatch(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.plan(10, w.now, 1100, 1000)
	w.commit(10, w.now.Add(25*time.Second)) // patience: 75 s
	w.after(26*time.Second).wantState(t, "idle")
	w.app.alive, w.kafka.ends["p"][0] = false, 50_000
	w.after(time.Second).wantState(t, "running")
	for b := range int64(5) {
		w.run(11+b, w.now, 1200+b, 1000)
		w.after(5*time.Second).wantState(t, "running")
	}
	w.after(11*time.Second).wantState(t, "terminated")
}

// TestHungAfterASlowBatch: nor is a slow batch a reason to believe a driver at
// work whose process is there and does not answer, again and again.
func TestHungAfterASlowBatch(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.plan(10, w.now, 1100, 1000)
	w.commit(10, w.now.Add(25*time.Second)) // patience: 75 s
	w.after(26*time.Second).wantState(t, "idle")
	w.kafka.ends["p"][0] = 50_000
	w.after(time.Second)
	w.after(15*time.Second).wantState(t, "running")
	w.app.alive, w.reach = false, connected
	w.after(time.Second).wantState(t, "running")
	w.after(time.Second).wantState(t, "stalled")
	w.app.alive = true
	w.after(time.Second).wantState(t, "running")
}

// TestRestartIsNoStall: a driver that has just come back gets the time to.
func TestRestartIsNoStall(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.app.alive, w.kafka.ends["p"][0] = false, 50_000
	w.after(time.Minute).wantState(t, "terminated")
	w.app.alive, w.app.started = true, w.now.Add(55*time.Second)
	w.after(time.Minute).wantState(t, "running")
	w.after(30*time.Second).wantState(t, "running")
	w.run(10, w.now, 50_000, 1000)
	w.after(2*time.Second).wantState(t, "idle")
}

// TestWithoutKafka: a batch that does not end is all that can be seen.
func TestWithoutKafka(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.kafka.err = errors.New("no broker")
	w.page().want(t, map[string]float64{`source{source="kafka"}`: 0, `source{source="checkpoint"}`: 1})
	w.after(time.Minute).wantState(t, "idle")
	w.plan(10, w.now, 2000, 2000)
	p := w.after(9 * time.Second)
	p.wantState(t, "running")
	p.want(t, map[string]float64{"uncommitted_batch_age_seconds": 8.9})
	w.after(2*time.Second).wantState(t, "stalled")
	if _, ok := p[`kafka_lag_records{topic="p"}`]; ok {
		t.Error("there is a lag, and Kafka did not answer")
	}
}

// TestStoreWithAnotherClock: times of files an hour off neither stall a query
// that commits, nor hide one that does not.
func TestStoreWithAnotherClock(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		w := newWorld(t)
		w.running()
		w.page()
		for b := range int64(6) {
			w.run(10+b, w.now.Add(off), 1000+b, 1000)
			w.kafka.ends["p"][0] = 2000
			w.after(5*time.Second).wantState(t, "running")
		}
		w.after(15*time.Second).wantState(t, "stalled")
	}
}

func TestDial(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	if got := dial(t.Context(), server.URL+"/x"); got != connected {
		t.Errorf("a server: %v", got)
	}
	server.Close()
	if got := dial(t.Context(), server.URL); got != refused {
		t.Errorf("no server: %v", got)
	}
	// A process that is stopped: the kernel takes the connection all the same.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := dial(t.Context(), "http://"+l.Addr().String()); got != connected {
		t.Errorf("nobody accepts: %v", got)
	}
	for _, ui := range []string{"", "::", "http://"} {
		if got := dial(t.Context(), ui); got != silent {
			t.Errorf("%q: %v", ui, got)
		}
	}
}

func TestDriverThatWasHungStaysSo(t *testing.T) {
	w := newWorld(t)
	w.running()
	w.page()
	w.app.alive, w.reach, w.kafka.ends["p"][0] = false, connected, 2000
	w.after(time.Second)
	w.after(time.Minute).wantState(t, "stalled")
	w.reach = silent // its queue of connections is full
	w.after(time.Hour).wantState(t, "stalled")
	w.reach = refused // it was killed
	w.after(time.Minute).wantState(t, "terminated")
}

func TestQuantile(t *testing.T) {
	if quantile(nil, .5) != 0 || quantile([]time.Duration{3, 1, 2}, 0) != 1 || quantile([]time.Duration{3, 1, 2}, .95) != 3 {
		t.Error("quantiles")
	}
	if math.IsNaN(quantile([]time.Duration{1}, 1).Seconds()) {
		t.Error("a quantile of one")
	}
}
