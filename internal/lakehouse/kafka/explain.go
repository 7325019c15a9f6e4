package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lakeproof/lakeproof/internal/config"
	"github.com/lakeproof/lakeproof/internal/fail"
)

// explain says what an error of the first contact means and what to do.
func explain(err error, address string, cfg config.Kafka) error {
	if err == nil {
		err = errors.New("no answer")
	}
	hint := hintFor(err, cfg)
	if loginHint(err, cfg) != "" {
		err = fmt.Errorf("logging in to Kafka at %s as %q with %s: %w", address, cfg.SASL.Username, cfg.SASL.Mechanism, err)
	} else {
		err = fmt.Errorf("connecting to Kafka at %s: %w", address, err)
	}
	return fail.Wrap(err, fail.Unreachable, hint)
}

func hintFor(err error, cfg config.Kafka) string {
	for _, hint := range []func(error, config.Kafka) string{loginHint, certificateHint, protocolHint, addressHint} {
		if text := hint(err, cfg); text != "" {
			return text
		}
	}
	return "start the broker, or correct kafka.brokers"
}

func loginHint(err error, cfg config.Kafka) string {
	var first *kgo.ErrFirstReadEOF
	switch {
	case cfg.SASL.Mechanism == "":
		return ""
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("the broker does not offer %s on this listener: correct kafka.sasl.mechanism", cfg.SASL.Mechanism)
	case errors.Is(err, kerr.IllegalSaslState):
		return "this listener asks for no login: leave kafka.sasl out, or use the listener that has SASL"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return "correct kafka.sasl.username and kafka.sasl.password, or create that user for " + cfg.SASL.Mechanism
	case errors.Is(err, io.EOF) && !errors.As(err, &first): // some brokers hang up rather than answer
		return "the broker ended the connection at the login: " +
			"correct kafka.sasl.mechanism, username and password, or create that user"
	}
	return ""
}

func certificateHint(err error, _ config.Kafka) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		alert    tls.AlertError
	)
	switch {
	case errors.As(err, &unknown):
		return "set kafka.tls.ca_file to the certificate of the authority that signed the broker's"
	case errors.As(err, &hostname):
		return "set kafka.tls.server_name to a name in the broker's certificate, or connect by such a name"
	case errors.As(err, &invalid):
		return "renew the broker's certificate, or correct this machine's clock"
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls:"):
		return "the broker refused the TLS handshake: set kafka.tls.cert_file and key_file to a certificate that it trusts"
	}
	return ""
}

// protocolHint recognises a TLS client at a plain port and the reverse.
func protocolHint(err error, cfg config.Kafka) string {
	var (
		record tls.RecordHeaderError
		first  *kgo.ErrFirstReadEOF
	)
	ended := errors.As(err, &first) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET)
	switch {
	// The client library's own guess, behind a handshake that went well.
	case ended && strings.Contains(err.Error(), "SASL is required"):
		return "the listener asks for a login: set kafka.sasl"
	case errors.As(err, &record), cfg.TLS.Enabled && (ended || handshakeTimeout(err)):
		return "this looks like a listener without TLS: leave kafka.tls out, or use the port of the TLS listener"
	case strings.Contains(err.Error(), "tls alert record"), !cfg.TLS.Enabled && ended && cfg.SASL.Mechanism != "":
		return "this looks like a TLS listener: set kafka.tls (kafka.tls.ca_file for an authority of your own)"
	case ended:
		return "the listener wants TLS or a login: set kafka.tls or kafka.sasl, or use the port of a plain listener"
	}
	return ""
}

// handshakeTimeout reports whether the time was up after the connection was made.
func handshakeTimeout(err error) bool {
	var op *net.OpError
	dialing := errors.As(err, &op) && op.Op == "dial"
	return errors.Is(err, context.DeadlineExceeded) && !dialing
}

func addressHint(err error, _ config.Kafka) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("correct the host name %q in kafka.brokers, or make it known to this machine", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "start the broker, or correct the port in kafka.brokers"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err,
		syscall.ENETUNREACH):
		return "nothing answers there: start the broker, correct kafka.brokers, or open the firewall"
	}
	return ""
}
