package spark

import (
	"context"
	"errors"
	"net"
	"net/url"
	"syscall"
	"time"
)

const (
	dialTimeout = 500 * time.Millisecond
	goneAfter   = time.Minute     // a driver that was never seen alive
	silentAfter = 5 * time.Minute // a driver whose address does not answer in any way
)

// reached is what a driver's address says when its UI does not answer.
type reached int

const (
	silent    reached = iota // nothing: it may be gone, and its address with it
	connected                // the kernel takes the connection: the process is there and hangs
	refused                  // nobody listens
)

// driver is what is known of an application's driver over time.
type driver struct {
	alive   bool
	started time.Time // of the attempt that runs; zero where it is not known
	missing time.Time // since when it does not answer; zero while it does
	ever    bool      // it was seen alive
	hung    bool      // its process is there and does not answer
	gone    bool      // there is no process
}

// look tells a driver that is gone from one that hangs: both do not answer.
func (d *driver) look(ctx context.Context, reach func(context.Context, string) reached, a app, now time.Time) {
	if a.alive {
		if !d.alive && d.ever {
			d.started = now
		}
		if a.started.After(d.started) {
			d.started = a.started
		}
		*d = driver{alive: true, ever: true, started: d.started}
		return
	}
	d.alive = false
	if d.missing.IsZero() {
		d.missing = now
	}
	absent := now.Sub(d.missing)
	if a.ui == "" {
		d.gone = d.ever && absent >= goneAfter
		return
	}
	switch reach(ctx, a.ui) {
	case connected:
		d.hung, d.gone = true, false
	case refused:
		d.hung, d.gone = false, d.ever || absent >= goneAfter
	case silent: // the queue of a driver that hangs is full after a while
		d.gone = !d.hung && absent >= silentAfter
	}
}

// dial asks the kernel at a UI's address for a connection.
func dial(ctx context.Context, ui string) reached {
	u, err := url.Parse(ui)
	if err != nil || u.Hostname() == "" {
		return silent
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err == nil {
		conn.Close()
		return connected
	}
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) {
		return refused
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return refused
	}
	return silent
}
