package catalog

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/token"
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
		cfg.OAuth2.Scope = cmp.Or(cfg.OAuth2.Scope, "catalog")
		return clientCredentials{token.NewSource(cfg.OAuth2, "catalog.auth.oauth2", client)}
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

// clientCredentials logs in with tokens of a token server.
type clientCredentials struct{ source *token.Source }

func (clientCredentials) renewable() bool { return true }

func (c clientCredentials) authorize(req *http.Request, fresh bool) error {
	text, err := c.source.Token(req.Context(), fresh)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+text)
	return nil
}
