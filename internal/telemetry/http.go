package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Web is where and how a process serves HTTP.
type Web struct {
	Address    string // host:port; ":0" chooses a port
	ConfigFile string // exporter-toolkit's web configuration (TLS, basic auth); default none
}

// Server serves a process's own pages.
type Server struct {
	Addr string // host:port it listens on
	http *http.Server
	done chan error
}

// Handler serves /metrics from the gatherer and /-/healthy, and everything
// else from next, which may be nil.
func Handler(g prometheus.Gatherer, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "lakeproof is healthy.\n") // a client that went away is no error
	})
	if next != nil {
		mux.Handle("/", next)
	}
	return mux
}

// Serve listens and serves until Close. The error is about the address or the
// web configuration.
func Serve(ctx context.Context, cfg Web, h http.Handler, logger *slog.Logger) (*Server, error) {
	if err := web.Validate(cfg.ConfigFile); err != nil {
		return nil, fail.Wrap(fmt.Errorf("reading --web.config.file: %w", err), fail.Usage,
			"the format is that of the Prometheus exporter toolkit")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("listening for HTTP: %w", err), fail.Usage,
			"give another address to --web.listen-address, for example 127.0.0.1:9877")
	}
	s := &Server{
		Addr: listener.Addr().String(),
		http: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		done: make(chan error, 1),
	}
	addresses, socket := []string{cfg.Address}, false
	flags := &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &socket, WebConfigFile: &cfg.ConfigFile}
	go func() { s.done <- web.Serve(listener, s.http, flags, logger) }()
	return s, nil
}

// Close lets requests under way finish until ctx ends, and returns why the
// server ended when that was for another reason.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("ending the HTTP server: %w", err), s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
