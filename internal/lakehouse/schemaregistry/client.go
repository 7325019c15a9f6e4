// Package schemaregistry registers schemas with a Confluent-compatible Schema
// Registry.
//
// A value flows like this: [New] makes a [Client] from the lab's configuration;
// [Client.Register] sends the schema of a topic's values to the subject
// `<topic>-value` (TopicNameStrategy) and returns the id that goes into each
// record's frame; [Client.Check] asks beforehand whether it would be taken. A
// schema that the subject's rule refuses is an error that names the rule and
// the reason, a registry that does not answer one with a hint. Each request has
// a deadline.
//
// It keeps no answer, retries nothing, changes no rule and deletes nothing.
//
// Source: Confluent's "Schema Registry API Reference", which Redpanda, Karapace
// and Apicurio serve as well.
package schemaregistry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/telemetry"
)

// The types of schemas.
const (
	Avro     = "AVRO"
	Protobuf = "PROTOBUF"
)

// Schema is a schema as the registry takes it.
type Schema struct {
	Type string // Avro or Protobuf
	Text string
}

// Subject returns the subject of a topic's values.
func Subject(topic string) string { return topic + "-value" }

// Options tune a Client; every zero value has a default.
type Options struct {
	Timeout time.Duration // of one request with its answer; default 5 s
}

// Client asks one registry. It is safe for concurrent use.
type Client struct {
	base     string // without a slash at its end
	shown    string // the same without what it may hide
	username string
	password config.Secret
	timeout  time.Duration
	http     *http.Client
}

const (
	mediaType = "application/vnd.schemaregistry.v1+json"
	maxBody   = 4 << 20 // of an answer: its reasons quote whole schemas
)

// New makes a Client. It makes no request.
func New(cfg config.Registry, opts Options) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fail.New(fail.Usage, "write registry.url as http://host:port",
			"reading registry.url: not a web address")
	}
	if opts.Timeout <= 0 {
		opts.Timeout = config.DialTimeout
	}
	return &Client{
		base: strings.TrimRight(cfg.URL, "/"), shown: strings.TrimRight(u.Redacted(), "/"),
		username: cfg.Username, password: cfg.Password, timeout: opts.Timeout,
		http: &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: config.DialTimeout}).DialContext,
			TLSHandshakeTimeout: config.DialTimeout,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     90 * time.Second,
		}},
	}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Register registers the schema of a topic's values and returns its id. A schema
// that is there already keeps its id. API path: POST
// /subjects/{subject}/versions.
func (c *Client) Register(ctx context.Context, topic string, s Schema) (id uint32, err error) {
	subject := Subject(topic)
	doing := fmt.Sprintf("registering the schema of %q", subject)
	var answer struct {
		ID *uint32 `json:"id"`
	}
	said, err := c.post(ctx, doing, "/subjects/"+url.PathEscape(subject)+"/versions", s, &answer)
	switch {
	case err != nil:
		return 0, err
	case said == nil && answer.ID == nil:
		return 0, c.garbage(doing, errNoID)
	case said == nil:
		return *answer.ID, nil
	case said.status == http.StatusConflict:
		reasons := []string{said.Message}
		v, err := c.compatibility(ctx, doing, subject, s)
		if err == nil && !v.Compatible && len(v.Messages) > 0 {
			reasons = v.Messages // of a registry that says none when it refuses
		}
		return 0, c.incompatible(ctx, doing, subject, reasons)
	}
	return 0, c.refusal(doing, s, said)
}

// Check asks whether the schema of a topic's values would be taken, without
// registering it: nil when it is compatible with the latest version by the
// subject's rule, and when there is none yet. A rule that is transitive looks at
// more when the schema is registered. API path: POST
// /compatibility/subjects/{subject}/versions/latest.
func (c *Client) Check(ctx context.Context, topic string, s Schema) error {
	subject := Subject(topic)
	doing := fmt.Sprintf("checking the schema of %q", subject)
	v, err := c.compatibility(ctx, doing, subject, s)
	if err != nil || v.Compatible {
		return err
	}
	return c.incompatible(ctx, doing, subject, v.Messages)
}

// verdict is an answer about compatibility.
type verdict struct {
	Compatible bool
	Messages   []string
}

func (c *Client) compatibility(ctx context.Context, doing, subject string, s Schema) (verdict, error) {
	var answer struct {
		Compatible *bool    `json:"is_compatible"`
		Messages   []string `json:"messages"`
	}
	path := "/compatibility/subjects/" + url.PathEscape(subject) + "/versions/latest?verbose=true"
	said, err := c.post(ctx, doing, path, s, &answer)
	switch {
	case err != nil:
		return verdict{}, err
	case said != nil && (said.Code == codeNoSubject || said.Code == codeNoVersion):
		return verdict{Compatible: true}, nil
	case said != nil:
		return verdict{}, c.refusal(doing, s, said)
	case answer.Compatible == nil:
		return verdict{}, c.garbage(doing, errNoVerdict)
	}
	return verdict{*answer.Compatible, answer.Messages}, nil
}

// Rule returns the rule of compatibility that a topic's subject has: its own or
// else the registry's, such as BACKWARD or NONE. API path: GET
// /config/{subject}.
func (c *Client) Rule(ctx context.Context, topic string) (string, error) {
	return c.rule(ctx, Subject(topic))
}

func (c *Client) rule(ctx context.Context, subject string) (string, error) {
	doing := fmt.Sprintf("reading the rule of %q", subject)
	var answer struct {
		Rule string `json:"compatibilityLevel"`
	}
	for _, path := range []string{"/config/" + url.PathEscape(subject) + "?defaultToGlobal=true", "/config"} {
		said, err := c.do(ctx, request{doing: doing, method: http.MethodGet, path: path}, &answer)
		switch {
		case err != nil:
			return "", err
		case said != nil && said.status == http.StatusNotFound && said.Code != 0 && path != "/config":
			continue // it has none of its own, and the registry does not know the parameter
		case said != nil:
			return "", c.refusal(doing, Schema{}, said)
		}
		break
	}
	if answer.Rule == "" {
		return "", c.garbage(doing, errNoRule)
	}
	return answer.Rule, nil
}

// post sends a schema.
func (c *Client) post(ctx context.Context, doing, path string, s Schema, answer any) (*said, error) {
	body := struct {
		Schema string `json:"schema"`
		Type   string `json:"schemaType,omitempty"`
	}{Schema: s.Text}
	if s.Type != Avro { // which is the default, and all that old registries know
		body.Type = s.Type
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return c.do(ctx, request{doing, http.MethodPost, path, text}, answer)
}

// request is what is asked, and what for.
type request struct {
	doing, method, path string
	body                []byte
}

// do sends one request and reads what it is answered: into answer when the
// status is 200, and else what the registry said.
func (c *Client) do(ctx context.Context, r request, answer any) (s *said, err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var size int64
	defer func() {
		telemetry.RequestDone(ctx, telemetry.Request{
			What: r.method + " " + c.shown + r.path, Began: began, Took: time.Since(began), Bytes: size, Err: err,
		})
	}()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, fail.Wrap(fmt.Errorf("%s: %w", r.doing, err), fail.Usage, "correct registry.url")
	}
	req.Header.Set("Accept", mediaType+", application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", mediaType)
	}
	if c.username != "" {
		req.SetBasicAuth(c.username, c.password.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(r.doing, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	size = int64(len(text))
	switch {
	case err != nil:
		return nil, c.unreachable(r.doing, err)
	case size > maxBody:
		return nil, c.garbage(r.doing, errTooLong)
	case resp.StatusCode != http.StatusOK:
		return newSaid(resp.StatusCode, text), nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, c.garbage(r.doing, err)
	}
	return nil, nil
}
