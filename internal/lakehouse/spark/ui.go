package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/httpjson"
)

// UI asks what serves Spark's REST API: a driver's UI, a History Server, a
// standalone master. It is safe for concurrent use.
//
// Its answers come from lists that Spark keeps short, so ids in them are dense
// but the oldest are missing; jobs and stages come newest first.
type UI struct {
	client *httpjson.Client
	base   string // without a slash at its end
	meter  *httpjson.Meter
}

// NewUI names a UI by its address, such as http://driver:4040 or
// https://gateway/spark/bronze. It asks nothing.
func NewUI(client *httpjson.Client, address string) (*UI, error) {
	base, err := BaseOf(address)
	if err != nil {
		return nil, err
	}
	return &UI{client: client, base: base}, nil
}

// NewClient makes the client that UIs share. Server and Setting are filled in.
func NewClient(o httpjson.Options) *httpjson.Client {
	o.Server = "the Spark UI"
	o.Setting = "give the address at which a browser shows the UI, such as http://driver:4040, " +
		"with the path of a proxy where there is one; a page to log in needs a token file, and a driver that " +
		"is starting shows a page for people too"
	return httpjson.New(o)
}

// BaseOf makes one spelling of an address: with a scheme, without what follows
// the base path.
func BaseOf(address string) (string, error) {
	text := strings.TrimSpace(address)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fail.New(fail.Usage, "write it as http://host:4040",
			"reading the address of a Spark UI: %q is not one", address)
	}
	u.RawQuery, u.Fragment = "", ""
	path := strings.TrimRight(u.Path, "/")
	for _, page := range []string{"/api/v1/applications", "/api/v1", "/jobs", "/metrics/json", "/json"} {
		path = strings.TrimRight(strings.TrimSuffix(path, page), "/")
	}
	u.Path, u.RawPath = path, ""
	return u.String(), nil
}

// Base is the address of the UI.
func (u *UI) Base() string { return u.base }

// Metered returns the same UI with its requests counted by m.
func (u *UI) Metered(m *httpjson.Meter) *UI {
	return &UI{client: u.client, base: u.base, meter: m}
}

// get asks for a path below the base.
func (u *UI) get(ctx context.Context, path string, read func(io.Reader) error) error {
	return u.client.Get(ctx, u.base+path, u.meter, read)
}

// one decodes an answer that is one value.
func one[T any](ctx context.Context, u *UI, path string) (T, error) {
	var value T
	err := u.get(ctx, path, func(r io.Reader) error { return json.NewDecoder(r).Decode(&value) })
	return value, err
}

// each decodes an answer that is a list, an element at a time, until visit
// returns false: what follows is not fetched.
func each[T any](ctx context.Context, u *UI, path string, visit func(T) bool) error {
	return u.get(ctx, path, func(r io.Reader) error { return decodeList(r, visit) })
}

func decodeList[T any](r io.Reader, visit func(T) bool) error {
	dec := json.NewDecoder(r)
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('[') {
		return &httpjson.ShapeError{Want: "a list"}
	}
	for n := 0; dec.More(); n++ {
		var value T
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("element %d of the list: %w", n, err)
		}
		if !visit(value) {
			return httpjson.ErrStop
		}
	}
	_, err = dec.Token()
	return err
}
