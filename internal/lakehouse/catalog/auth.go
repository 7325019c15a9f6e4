package catalog

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// authorizer adds the login to a request; fresh asks for a token that was not
// used before.
type authorizer interface {
	authorize(req *http.Request, fresh bool) error
	renewable() bool
}

func newAuthorizer(cfg config.CatalogAuth, client *http.Client) authorizer {
	switch {
	case cfg.OAuth2.TokenURL != "":
		return &clientCredentials{cfg: cfg.OAuth2, http: client}
	case cfg.TokenFile != "":
		return tokenFile(cfg.TokenFile)
	}
	return staticToken{cfg.Token}
}

// staticToken is a token that never changes, or none.
type staticToken struct{ token config.Secret }

func (t staticToken) authorize(req *http.Request, _ bool) error {
	if !t.token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	}
	return nil
}

func (staticToken) renewable() bool { return false }

// tokenFile is the path of a token that something else renews, such as a
// projected service account token. It is read for every request: it is small,
// and so never out of date.
type tokenFile string

func (f tokenFile) authorize(req *http.Request, _ bool) error {
	token, err := os.ReadFile(string(f))
	if err != nil {
		return fail.Wrap(fmt.Errorf("reading catalog.auth.token_file: %w", err), fail.Usage,
			"correct catalog.auth.token_file, or let this user read it")
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return nil
}

func (tokenFile) renewable() bool { return true }

// clientCredentials is the grant of RFC 6749 section 4.4. A token is renewed
// when four fifths of its life are over, and when the catalog refuses it.
type clientCredentials struct {
	cfg  config.OAuth2
	http *http.Client

	mu    sync.Mutex
	token string
	renew time.Time
}

func (c *clientCredentials) renewable() bool { return true }

func (c *clientCredentials) authorize(req *http.Request, fresh bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if fresh || c.token == "" || time.Now().After(c.renew) {
		if err := c.fetch(req); err != nil {
			return fmt.Errorf("asking %s for a token: %w", c.cfg.TokenURL, err)
		}
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	return nil
}

// fetch asks for a token within the context of the request that needs it.
func (c *clientCredentials) fetch(cause *http.Request) error {
	scope := c.cfg.Scope
	if scope == "" {
		scope = "catalog"
	}
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {c.cfg.ClientID},
		"client_secret": {c.cfg.ClientSecret.Reveal()},
		"scope":         {scope},
	}
	req, err := http.NewRequestWithContext(cause.Context(), http.MethodPost, c.cfg.TokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return fail.Wrap(err, fail.Usage, "correct catalog.auth.oauth2.token_url")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	started := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return fail.Wrap(err, fail.Unreachable, "start the token server, or correct catalog.auth.oauth2.token_url")
	}
	defer drain(resp.Body)
	var answer struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"` // seconds
		Error   string  `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer)
	switch {
	case resp.StatusCode != http.StatusOK:
		return fail.New(fail.Usage, "check catalog.auth.oauth2: client_id, client_secret and scope",
			"the token server answered %d %s", resp.StatusCode, printable(answer.Error))
	case err != nil || answer.Token == "":
		return fail.New(fail.Unreachable, "catalog.auth.oauth2.token_url must be a token endpoint of OAuth 2",
			"the token server's answer holds no access_token")
	}
	life := time.Hour
	if answer.Expires > 0 && answer.Expires < 1e6 {
		life = time.Duration(answer.Expires * float64(time.Second))
	}
	c.token, c.renew = answer.Token, started.Add(life*4/5)
	return nil
}
