// Package token gets access tokens by the client credentials grant of OAuth 2
// (RFC 6749, section 4.4).
//
// A value flows like this: [NewSource] names the token server and the client,
// [Source.Token] returns the token that it has, or asks for one when that is
// four fifths through its life or was refused. An error has a hint that names
// the setting; no secret is in it.
//
// It keeps tokens in memory only and does not look into them.
package token

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/ui"
)

// Source gets the tokens of one client. It is safe for concurrent use.
type Source struct {
	cfg     config.OAuth2
	setting string // key of the configuration, for hints
	http    *http.Client

	mu    sync.Mutex
	token string
	renew time.Time
}

// NewSource makes a source that asks with the given client. The setting is the
// key of the configuration that cfg came from.
func NewSource(cfg config.OAuth2, setting string, client *http.Client) *Source {
	return &Source{cfg: cfg, setting: setting, http: client}
}

// Token returns a token; fresh asks for one that was not returned before.
func (s *Source) Token(ctx context.Context, fresh bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fresh || s.token == "" || time.Now().After(s.renew) {
		if err := s.fetch(ctx); err != nil {
			return "", fmt.Errorf("asking %s for a token: %w", s.cfg.TokenURL, err)
		}
	}
	return s.token, nil
}

const (
	maxAnswer = 1 << 20 // bytes of a token server's answer
	maxWords  = 200     // columns of what it says is wrong
)

func (s *Source) fetch(ctx context.Context) error {
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {s.cfg.ClientID},
		"client_secret": {s.cfg.ClientSecret.Reveal()},
	}
	if s.cfg.Scope != "" {
		form.Set("scope", s.cfg.Scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return fail.Wrap(err, fail.Usage, "correct "+s.setting+".token_url")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	started := time.Now()
	resp, err := s.http.Do(req)
	if err != nil {
		return fail.Wrap(err, fail.Unreachable, "start the token server, or correct "+s.setting+".token_url")
	}
	defer resp.Body.Close()
	var answer struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"` // seconds
		Error   string  `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer)
	switch {
	case resp.StatusCode != http.StatusOK:
		return fail.New(fail.Usage, "check "+s.setting+": client_id, client_secret and scope",
			"the token server answered %d %s", resp.StatusCode, ui.Clip(ui.Clean(answer.Error), maxWords))
	case err != nil || answer.Token == "":
		return fail.New(fail.Unreachable, s.setting+".token_url must be a token endpoint of OAuth 2",
			"the token server's answer holds no access_token")
	}
	life := time.Hour
	if answer.Expires > 0 && answer.Expires < 1e6 {
		life = time.Duration(answer.Expires * float64(time.Second))
	}
	s.token, s.renew = answer.Token, started.Add(life*4/5)
	return nil
}
