package kafka

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
	"github.com/lakeproof/lakeproof/internal/lakehouse/token"
)

// mechanism returns how to log in, or nil for not at all. Secrets in files are
// read at each login, so that a new one is used from the next connection on.
func mechanism(cfg config.SASL) (sasl.Mechanism, error) {
	switch cfg.Mechanism {
	case "":
		return nil, nil
	case "PLAIN":
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := current(cfg.Password, cfg.PasswordFile, "password_file")
			return plain.Auth{User: cfg.Username, Pass: password}, err
		}), nil
	case "SCRAM-SHA-256":
		return scram.Sha256(scramAuth(cfg)), nil
	case "SCRAM-SHA-512":
		return scram.Sha512(scramAuth(cfg)), nil
	case config.MechanismOAuth:
		return oauth.Oauth(oauthAuth(cfg)), nil
	case config.MechanismAWS:
		return aws.ManagedStreamingIAM(func(context.Context) (aws.Auth, error) {
			return aws.Auth{
				AccessKey: cfg.AWS.AccessKey.Reveal(), SecretKey: cfg.AWS.SecretKey.Reveal(),
				SessionToken: cfg.AWS.SessionToken.Reveal(), UserAgent: clientName,
			}, nil
		}), nil
	case "GSSAPI":
		return nil, fail.New(fail.Usage, "use SCRAM, OAUTHBEARER or a client certificate",
			"reading kafka.sasl.mechanism GSSAPI: this program has no Kerberos")
	default:
		return nil, fail.New(fail.Usage, "use one of "+strings.Join(config.Mechanisms(), ", "),
			"reading kafka.sasl.mechanism %s: unknown", cfg.Mechanism)
	}
}

func scramAuth(cfg config.SASL) func(context.Context) (scram.Auth, error) {
	return func(context.Context) (scram.Auth, error) {
		password, err := current(cfg.Password, cfg.PasswordFile, "password_file")
		return scram.Auth{User: cfg.Username, Pass: password}, err
	}
}

func oauthAuth(cfg config.SASL) func(context.Context) (oauth.Auth, error) {
	if cfg.OAuth2.TokenURL == "" {
		return func(context.Context) (oauth.Auth, error) {
			text, err := current(cfg.Token, cfg.TokenFile, "token_file")
			return oauth.Auth{Token: text}, err
		}
	}
	source := token.NewSource(cfg.OAuth2, "kafka.sasl.oauth2", &http.Client{Timeout: config.DialTimeout})
	return func(ctx context.Context) (oauth.Auth, error) {
		text, err := source.Token(ctx, false)
		return oauth.Auth{Token: text}, err
	}
}

// current is a secret as it is now: what its file holds, where there is one.
func current(secret config.Secret, file, key string) (string, error) {
	if file == "" {
		return secret.Reveal(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fail.Wrap(fmt.Errorf("reading kafka.sasl.%s: %w", key, err), fail.Usage,
			"the file must be there whenever a connection is made")
	}
	return strings.TrimSpace(string(text)), nil
}
