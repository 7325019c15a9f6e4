// Package httpjson asks servers that answer GET with JSON: Spark's UIs and the
// Kubernetes API.
//
// A value flows like this: [New] makes a [Client] for servers of one kind; its
// [Client.Get] sends the token, follows redirects, and hands the body to the
// caller as a stream that ends in an error where it grows too long. What went
// wrong has a class ([ClassOf]) for a metric and a hint for a person. Token and
// CA files are read again when they change.
//
// It writes nothing, retries nothing and keeps no answer.
package httpjson

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// Defaults of [Options].
const (
	DefaultTimeout = 3 * time.Second
	DefaultMaxBody = 8 << 20
)

const (
	maxRedirects  = 5
	maxCredential = 1 << 20  // of a token or a CA file
	window        = 64 << 10 // of the connection: what a stream left early has cost at most
)

// Options are how servers of one kind are asked; every zero value has a default.
type Options struct {
	Server    string        // what it is, for messages: "the Spark UI"
	Setting   string        // how a person corrects the address: "point it at the driver's UI, ..."
	TokenFile string        // bearer token; read for every request
	CAFile    string        // PEM; default: the system's roots
	Timeout   time.Duration // of one request with its answer; default 3 s
	MaxBody   int64         // longest answer in bytes, decompressed; default 8 MiB
}

// Client asks servers of one kind. It is safe for concurrent use.
type Client struct {
	options Options

	mu        sync.Mutex
	transport *http.Transport // of the CA file as it was at stamp
	stamp     string
}

// New makes a client. It makes no request and reads no file.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	return &Client{options: o}
}

// Close ends idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// Meter counts what was asked on one errand.
type Meter struct{ requests, bytes atomic.Int64 }

// Requests returns how many requests were made; a redirect is part of one.
func (m *Meter) Requests() int64 { return m.requests.Load() }

// Bytes returns how many bytes of bodies were read, decompressed.
func (m *Meter) Bytes() int64 { return m.bytes.Load() }

// ErrStop is returned by a reader that has what it needs: the rest of the body
// is not fetched, and Get returns nil.
var ErrStop = errors.New("the rest is not needed")

// Get asks for address and gives the body to read. The meter may be nil.
func (c *Client) Get(ctx context.Context, address string, m *Meter, read func(io.Reader) error) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	n, err := c.get(ctx, address, m, read)
	if errors.Is(err, ErrStop) {
		err = nil
	}
	if err != nil {
		if over := ctx.Err(); over != nil && !errors.Is(err, over) {
			err = over // a connection that was closed under a reader says less
		}
		err = c.explain(address, err)
	}
	telemetry.RequestDone(ctx, telemetry.Request{
		What: "GET " + address, Began: began, Took: time.Since(began), Bytes: n, Err: err,
	})
	return err
}

func (c *Client) get(ctx context.Context, address string, m *Meter, read func(io.Reader) error) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/json")
	if c.options.TokenFile != "" {
		token, err := readFile(c.options.TokenFile)
		if err != nil {
			return 0, &credentialError{"token", err}
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	transport, err := c.current()
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	if m != nil {
		m.requests.Add(1)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body := &counting{from: resp.Body, limit: c.options.MaxBody, meter: m}
	if resp.StatusCode != http.StatusOK {
		return 0, &StatusError{Code: resp.StatusCode}
	}
	buffered := bufio.NewReader(body)
	if isHTML(resp.Header.Get("Content-Type"), buffered) {
		return body.n, errHTML
	}
	if err = read(buffered); err != nil {
		return body.n, &bodyError{err}
	}
	// What is behind the value, such as a line feed, so that the connection is used
	// again. One left early is dropped: that costs less than its rest.
	_, _ = io.CopyN(io.Discard, buffered, 512)
	return body.n, nil
}

func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errRedirects
	}
	return nil
}

// isHTML looks at the header, and at the first byte where that says nothing.
func isHTML(contentType string, body *bufio.Reader) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err == nil && (kind == "text/html" || kind == "application/xhtml+xml") {
		return true
	}
	start, _ := body.Peek(64) // an error comes again when the body is read
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n\ufeff"), []byte("<"))
}

// counting is a body with a limit.
type counting struct {
	from  io.Reader
	n     int64
	limit int64
	meter *Meter
}

func (r *counting) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += int64(n)
	if r.meter != nil {
		r.meter.bytes.Add(int64(n))
	}
	if r.n > r.limit {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLong, r.limit)
	}
	return n, err
}

// current returns the transport for the CA file as it is now.
func (c *Client) current() (*http.Transport, error) {
	stamp := ""
	if c.options.CAFile != "" {
		info, err := os.Stat(c.options.CAFile)
		if err != nil {
			return nil, &credentialError{"CA", err}
		}
		stamp = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transport != nil && c.stamp == stamp {
		return c.transport, nil
	}
	fresh, err := newTransport(c.options.CAFile)
	if err != nil {
		return nil, err
	}
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
	c.transport, c.stamp = fresh, stamp
	return fresh, nil
}

func newTransport(caFile string) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: DefaultTimeout}
	t := &http.Transport{
		Proxy:               nil, // these servers are near, and a token must not go by a proxy
		MaxIdleConnsPerHost: 1,
		MaxIdleConns:        256,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: DefaultTimeout,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetReadBuffer(window) // it only spares bytes
			}
			return conn, err
		},
	}
	if caFile == "" {
		return t, nil
	}
	pem, err := readFile(caFile)
	if err != nil {
		return nil, &credentialError{"CA", err}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &credentialError{"CA", fmt.Errorf("reading %s: no certificate in it", caFile)}
	}
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return t, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredential))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}
