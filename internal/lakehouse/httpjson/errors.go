package httpjson

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// Class is what went wrong, in a word: the value of a label.
type Class string

// The classes.
const (
	Timeout     Class = "timeout"     // no answer, or not a whole one, in time
	Unreachable Class = "unreachable" // no connection
	TLS         Class = "tls"         // the certificate, or no TLS there
	Status      Class = "status"      // another status than 200
	HTML        Class = "html"        // a page for people
	Garbled     Class = "garbled"     // not the JSON that it should be
	TooLong     Class = "too_long"    // more than the limit
	Credentials Class = "credentials" // our own token or CA file
	Canceled    Class = "canceled"    // we were told to stop
)

var (
	errHTML      = errors.New("it answered HTML, not JSON")
	errTooLong   = errors.New("the answer is too long")
	errRedirects = errors.New("it redirects in a circle")
)

// StatusError is an answer with another status than 200. A 404 is
// fs.ErrNotExist.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("it answered %d %s", e.Code, http.StatusText(e.Code))
}

// Is makes a 404 fs.ErrNotExist.
func (e *StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && e.Code == http.StatusNotFound
}

// credentialError is about a file of ours.
type credentialError struct {
	what string
	err  error
}

func (e *credentialError) Error() string { return "reading the " + e.what + " file: " + e.err.Error() }
func (e *credentialError) Unwrap() error { return e.err }

// bodyError is what a reader says of a body.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// ClassOf returns the class of an error of [Client.Get], "" for nil.
func ClassOf(err error) Class {
	var status *StatusError
	var credential *credentialError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &credential):
		return Credentials
	case errors.Is(err, context.Canceled):
		return Canceled
	case timedOut(err):
		return Timeout
	case errors.As(err, &status):
		return Status
	case errors.Is(err, errHTML):
		return HTML
	case errors.Is(err, errTooLong):
		return TooLong
	case isTLS(err):
		return TLS
	case isGarbled(err):
		return Garbled
	}
	return Unreachable
}

func timedOut(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var alert tls.AlertError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &record) || errors.As(err, &verification) ||
		errors.As(err, &authority) || errors.As(err, &alert)
}

// isGarbled is true for what a decoder says. An answer cut off by its server is
// garbled as well: a decoder sees no difference.
func isGarbled(err error) bool {
	if _, ok := errors.AsType[*ShapeError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*bodyError](err); !ok {
		return false
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// ShapeError is JSON of another shape than the server's documentation says.
type ShapeError struct{ Want string }

func (e *ShapeError) Error() string { return "the answer is not " + e.Want }

// explain says whom we asked, and what to do about it.
func (c *Client) explain(address string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the address is said below, without what it may hide
	}
	err = fmt.Errorf("asking %s at %s: %w", c.options.Server, redact(address), err)
	return fail.Wrap(err, fail.Unreachable, c.hint(err))
}

func (c *Client) hint(err error) string {
	var status *StatusError
	switch class := ClassOf(err); class {
	case Credentials:
		return "correct the path of the file, or let this user read it"
	case Timeout:
		return c.options.Server + " is overloaded or hangs, or a network policy drops the packets"
	case TLS:
		return "check https:// or http:// in the address, and the CA file"
	case TooLong:
		return "let the server list less (of Spark: spark.ui.retainedJobs, spark.ui.retainedStages)"
	case Status:
		errors.As(err, &status)
		if status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden {
			return "give a token file with the right to view"
		}
		return c.options.Setting
	default:
		return c.options.Setting
	}
}

// redact drops what a person may have put into an address.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that is none"
	}
	return u.Redacted()
}
