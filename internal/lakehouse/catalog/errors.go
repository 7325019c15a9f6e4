package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/lakeproof/lakeproof/internal/fail"
)

const longestMessage = 200 // runes of a server's message that are shown

// errTooLong ends the reading of an answer beyond its bound.
var errTooLong = errors.New("the answer is longer than expected")

// bounded reads at most left bytes and fails beyond.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (c *Client) unreachable(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is said below, without the query
	}
	return fail.Wrap(fmt.Errorf("%s: reaching %s: %w", doing, c.base, err), fail.Unreachable,
		"start the catalog, or correct catalog.uri")
}

// refusal turns an answer that is not 200 into an error. Of the body only the
// type and the shortened message are shown: servers put stack traces there.
func (c *Client) refusal(doing string, resp *http.Response) error {
	kind, message := errorModel(resp)
	said := fmt.Sprintf("%s: the catalog answered %d", doing, resp.StatusCode)
	if kind != "" {
		said += " " + kind
	}
	if message != "" {
		said += " (" + message + ")"
	}
	switch {
	case resp.StatusCode == http.StatusNotFound && (kind == "NoSuchTableException" || kind == "NoSuchNamespaceException"):
		return fail.Wrap(fmt.Errorf("%s: %w", doing, ErrNoTable), fail.Usage,
			"start the job that creates the table, or correct the table's name in the scenario")
	case resp.StatusCode == http.StatusNotFound && kind == "NoSuchWarehouseException":
		return fail.New(fail.Usage, "create the warehouse, or correct catalog.warehouse", "%s", said)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusMethodNotAllowed:
		return fail.New(fail.Unreachable,
			"catalog.uri must be the root of an Iceberg REST catalog (Lakekeeper's ends in /catalog)", "%s", said)
	case resp.StatusCode == http.StatusUnauthorized:
		return fail.New(fail.Usage, "set catalog.auth to a token or client credentials that the catalog accepts", "%s", said)
	case resp.StatusCode == http.StatusForbidden:
		return fail.New(fail.Usage, "grant this user the right to read the table's metadata", "%s", said)
	case resp.StatusCode >= http.StatusInternalServerError, resp.StatusCode == http.StatusTooManyRequests:
		return fail.New(fail.Unreachable, "look at the catalog's log: its database or its store may be down", "%s", said)
	}
	return fail.New(fail.Unreachable, "check catalog.uri and catalog.warehouse", "%s", said)
}

// errorModel reads the specification's ErrorModel, or nothing.
func errorModel(resp *http.Response) (kind, message string) {
	var answer struct {
		Error struct {
			Message string `json:"message"`
			Type    string `json:"type"`
		} `json:"error"`
	}
	body := io.LimitReader(resp.Body, 1<<20)
	if !isJSON(resp) || json.NewDecoder(body).Decode(&answer) != nil {
		return "", ""
	}
	return printable(answer.Error.Type), printable(answer.Error.Message)
}

// garbage says that an answer of status 200 is not what it should be.
func (c *Client) garbage(doing string, resp *http.Response, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return c.unreachable(doing, err)
	}
	what := "the answer is not an Iceberg table or configuration"
	if !isJSON(resp) {
		what = fmt.Sprintf("the answer is %q and not JSON", printable(resp.Header.Get("Content-Type")))
	}
	return fail.Wrap(fmt.Errorf("%s: reading the answer of %s: %s: %w", doing, c.base, what, err), fail.Unreachable,
		"catalog.uri must be the root of an Iceberg REST catalog (Lakekeeper's ends in /catalog), "+
			"with no login page before it")
}

// printable makes foreign text fit for one line of ours.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if runes := []rune(s); len(runes) > longestMessage {
		s = string(runes[:longestMessage]) + "..."
	}
	return strings.TrimSpace(s)
}
