// Package catalog asks an Iceberg REST catalog about tables.
//
// A value flows like this: [New] makes a [Client] from the lab's configuration;
// its first [Client.LoadTable] reads /v1/config for the prefix and the
// namespace separator, then GETs the table with snapshots=refs and the ETag of
// the last answer, and decodes the answer as a stream into a [Table], so that
// a history of 100,000 snapshots costs what the caller keeps of it. An answer
// is one of: a table, not modified, [ErrNoTable], or an error with a hint.
//
// It does not commit, list or read data, keeps no table, and never asks for
// credentials of the store. It talks to the configured address only: the
// "uri" that a server may advertise is not followed, because it is often an
// address of the inside of a cluster, and a token would travel to it.
//
// Source: the Iceberg REST catalog specification (rest-catalog-open-api.yaml,
// Iceberg 1.11).
package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// ErrNoTable says that the catalog answers and has no such table.
var ErrNoTable = errors.New("no such table")

// Options tune a Client; every zero value has a default.
type Options struct {
	Timeout time.Duration // one request with its answer; default 10 s
	MaxBody int64         // longest answer in bytes, decompressed; default 256 MiB
}

// Client asks one catalog. It is safe for concurrent use.
type Client struct {
	base      string // without a slash at its end, without /v1
	warehouse string
	maxBody   int64
	http      *http.Client
	auth      authorizer
	plain     atomic.Bool // send no word on delegation: the catalog does not take it

	mu     sync.Mutex
	server *serverConfig // nil until /v1/config answered
}

// serverConfig is what /v1/config says of the paths.
type serverConfig struct {
	root      string // "/v1" or "/v1/<prefix>"
	separator string // between the levels of a namespace, percent-encoded
}

// New makes a Client. It makes no request.
func New(cfg config.Catalog, opts Options) (*Client, error) {
	u, err := url.Parse(cfg.URI)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fail.New(fail.Usage, "write catalog.uri as http://host:port/path, without /v1",
			"reading catalog.uri %q: not a web address", cfg.URI)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = 256 << 20
	}
	client := &http.Client{
		Timeout: opts.Timeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: config.DialTimeout}).DialContext,
			TLSHandshakeTimeout: config.DialTimeout,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second,
		},
	}
	base := strings.TrimSuffix(strings.TrimRight(cfg.URI, "/"), "/v1")
	return &Client{
		base:      base,
		warehouse: cfg.Warehouse,
		maxBody:   opts.MaxBody,
		http:      client,
		auth:      newAuthorizer(cfg.Auth, client),
	}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// LoadOptions say how much of a table is wanted.
type LoadOptions struct {
	// ETag of an earlier answer of the same mode: the catalog may then answer
	// "not modified". Default: none.
	ETag string
	// AllSnapshots asks for the whole history and not only for the snapshots
	// that branches and tags point to. Default false.
	AllSnapshots bool
}

// LoadTable reads the table "namespace.table"; a namespace may have several
// levels. It returns true and no table when the catalog says that nothing has
// changed since opts.ETag, and an error that is [ErrNoTable] when there is no
// such table. API path: GET /v1/{prefix}/namespaces/{ns}/tables/{table}.
func (c *Client) LoadTable(ctx context.Context, ident string, opts LoadOptions) (*Table, bool, error) {
	levels := strings.Split(ident, ".")
	if len(levels) < 2 || levels[len(levels)-1] == "" {
		return nil, false, fail.New(fail.Usage, "write a table as namespace.table",
			"reading table name %q: no namespace", ident)
	}
	server, err := c.config(ctx)
	if err != nil {
		return nil, false, err
	}
	for i, level := range levels {
		levels[i] = url.PathEscape(level)
	}
	last := len(levels) - 1
	mode := "refs"
	if opts.AllSnapshots {
		mode = "all"
	}
	path := server.root + "/namespaces/" + strings.Join(levels[:last], server.separator) +
		"/tables/" + levels[last] + "?snapshots=" + mode
	doing := "loading table " + ident
	resp, err := c.get(ctx, doing, path, opts.ETag)
	if err != nil {
		return nil, false, err
	}
	defer drain(resp.Body)
	if resp.StatusCode == http.StatusNotModified {
		return nil, true, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, false, c.refusal(doing, resp)
	}
	body := &bounded{r: resp.Body, left: c.maxBody}
	table, err := decodeTable(body)
	if err != nil {
		return nil, false, c.garbage(doing, resp, err)
	}
	table.Ident = ident
	table.ETag = resp.Header.Get("ETag")
	return table, false, nil
}

// Ping asks the catalog for its configuration, which needs no table. It is the
// first contact: address, login and warehouse are right when it returns nil.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.config(ctx)
	return err
}

// config returns the server's configuration, asking for it once. API path:
// GET /v1/config.
func (c *Client) config(ctx context.Context) (*serverConfig, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		return c.server, nil
	}
	path := "/v1/config"
	if c.warehouse != "" {
		path += "?warehouse=" + url.QueryEscape(c.warehouse)
	}
	const doing = "reading the catalog's configuration"
	resp, err := c.get(ctx, doing, path, "")
	if err != nil {
		return nil, err
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, c.refusal(doing, resp)
	}
	var answer struct {
		Defaults  map[string]string `json:"defaults"`
		Overrides map[string]string `json:"overrides"`
	}
	if err := json.NewDecoder(&bounded{r: resp.Body, left: 1 << 20}).Decode(&answer); err != nil {
		return nil, c.garbage(doing, resp, err)
	}
	setting := func(key string) string {
		if v := answer.Overrides[key]; v != "" {
			return v
		}
		return answer.Defaults[key]
	}
	server := &serverConfig{root: "/v1", separator: "%1F"}
	if prefix := setting("prefix"); prefix != "" {
		server.root += "/" + strings.Trim(prefix, "/")
	}
	if separator := setting("namespace-separator"); separator != "" {
		server.separator = separator
	}
	c.server = server
	return server, nil
}

// get sends one GET; once more with a fresh token when the first is refused,
// and once more without the word on delegation when the catalog does not take
// it.
func (c *Client) get(ctx context.Context, doing, path, etag string) (*http.Response, error) {
	for fresh := false; ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
		if err != nil {
			return nil, fail.Wrap(fmt.Errorf("%s: %w", doing, err), fail.Usage, "correct catalog.uri")
		}
		req.Header.Set("Accept", "application/json")
		// Lakekeeper's word for "no credentials of the store, please"; without it
		// every load may mint some. Nessie and the reference server ignore it,
		// Polaris, which mints none unasked, answers 400.
		delegation := !c.plain.Load()
		if delegation {
			req.Header.Set("X-Iceberg-Access-Delegation", "client-managed")
		}
		if etag != "" {
			req.Header.Set("If-None-Match", etag) // byte for byte: the reference server sends it without quotes
		}
		if err := c.auth.authorize(req, fresh); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		resp, err := c.http.Do(req)
		switch {
		case err != nil:
			return nil, c.unreachable(doing, err)
		case resp.StatusCode == http.StatusUnauthorized && !fresh && c.auth.renewable():
			fresh = true
		case resp.StatusCode == http.StatusBadRequest && delegation:
			c.plain.Store(true)
		default:
			return resp, nil
		}
		drain(resp.Body)
	}
}

// drain reads what is left of a short body, so that its connection is used
// again, and closes it.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}

// isJSON reports whether an answer says of itself that it is JSON.
func isJSON(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return strings.Contains(kind, "json")
}
