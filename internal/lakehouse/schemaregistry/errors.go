package schemaregistry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// ErrIncompatible says that the rule of the subject refuses the schema.
var ErrIncompatible = errors.New("incompatible with what is registered")

var (
	errNoID      = errors.New("the answer has no id")
	errNoVerdict = errors.New("the answer has no verdict")
	errNoRule    = errors.New("the answer has no rule")
	errTooLong   = errors.New("the answer is longer than expected")
)

// Codes of the registry's errors that mean something to us.
const (
	codeNoSubject = 40401
	codeNoVersion = 40402
	codeInvalid   = 42201
	codeReadOnly  = 42205
)

const longestMessage = 300 // runes of a registry's message that are shown

// said is an answer that is not 200.
type said struct {
	status  int
	Code    int    `json:"error_code"` // 0 where no registry spoke
	Message string `json:"message"`
}

func newSaid(status int, body []byte) *said {
	s := &said{}
	if json.Unmarshal(body, s) != nil {
		*s = said{}
	}
	s.status = status
	return s
}

func (s *said) String() string {
	text := fmt.Sprintf("the registry answered %d %s", s.status, http.StatusText(s.status))
	if s.Code != 0 && s.Code != s.status {
		text += fmt.Sprintf(", error %d", s.Code)
	}
	if s.Message != "" {
		text += " (" + printable(s.Message) + ")"
	}
	return text
}

func (c *Client) unreachable(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address is said below, without what it may hide
	}
	hint := "start the Schema Registry, or correct registry.url"
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", err)
		hint = "the Schema Registry hangs or waits for its Kafka; look at its log"
	}
	return fail.Wrap(fmt.Errorf("%s: reaching %s: %w", doing, c.shown, err), fail.Unreachable, hint)
}

// refusal turns what a registry said into an error with a hint.
func (c *Client) refusal(doing string, s Schema, answer *said) error {
	code, hint := fail.Unreachable, "look at the Schema Registry's log: its Kafka may be down"
	switch {
	case answer.status == http.StatusUnauthorized:
		code, hint = fail.Usage, "set registry.username and registry.password to what the registry accepts"
	case answer.status == http.StatusForbidden:
		code, hint = fail.Usage, "grant this user the right to write the subject, or set another registry.username"
	case answer.Code == codeReadOnly:
		code, hint = fail.Usage, "the registry or the subject is read-only: set its mode to READWRITE"
	case answer.Code == codeInvalid || answer.status == http.StatusUnprocessableEntity:
		code, hint = fail.Usage, "see whether this registry knows schemas of type "+s.Type
	case answer.status == http.StatusNotFound || answer.status == http.StatusMethodNotAllowed:
		hint = "registry.url must be the root of a Schema Registry (Apicurio's ends in /apis/ccompat/v7)"
	case answer.status == http.StatusTooManyRequests:
		hint = "the registry is asked too much; try again in a minute"
	case answer.status < http.StatusInternalServerError:
		hint = "registry.url must be the root of a Schema Registry, with no login page before it"
	}
	return fail.New(code, hint, "%s: %s", doing, answer)
}

// garbage says that an answer of status 200 is not what it should be.
func (c *Client) garbage(doing string, err error) error {
	return fail.Wrap(fmt.Errorf("%s: reading the answer of %s: %w", doing, c.shown, err), fail.Unreachable,
		"registry.url must be the root of a Schema Registry, with no login page before it")
}

// incompatible says which rule refuses a schema, and why.
func (c *Client) incompatible(ctx context.Context, doing, subject string, reasons []string) error {
	rule, err := c.rule(ctx, subject)
	if err != nil {
		rule = "that could not be read"
	}
	text := fmt.Sprintf("%s: rule %s refuses it", doing, rule)
	if meaning := meaningOf(rule); meaning != "" {
		text += " (" + meaning + ")"
	}
	if reason := reasonIn(reasons); reason != "" {
		text += ": " + reason
	}
	return fail.Wrap(fmt.Errorf("%s: %w", text, ErrIncompatible), fail.Usage,
		fmt.Sprintf("make a new field nullable and change no type, use another topic, "+
			`or give %s another rule: PUT /config/%s {"compatibility": "NONE"}`, subject, subject))
}

// meaningOf says what a rule asks for.
func meaningOf(rule string) string {
	than := "the latest version"
	base, transitive := strings.CutSuffix(rule, "_TRANSITIVE")
	if transitive {
		than = "every earlier version"
	}
	switch base {
	case "BACKWARD":
		return "a reader with the new schema must understand what " + than + " wrote"
	case "FORWARD":
		return "a reader with " + than + " must understand what the new schema writes"
	case "FULL":
		return "readers with the new schema and with " + than + " must understand each other's records"
	}
	return ""
}

// reasonIn returns the first reason, without the schemas that stand among them.
func reasonIn(messages []string) string {
	for _, m := range messages {
		if !strings.HasPrefix(strings.TrimSpace(m), "{oldSchema") && strings.TrimSpace(m) != "" {
			return printable(m)
		}
	}
	return ""
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
