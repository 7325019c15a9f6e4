package config

import (
	"slices"
	"strings"
)

func (f *fileSASL) validate(key, dir string) (SASL, error) {
	switch {
	case !slices.Contains(Mechanisms(), f.Mechanism):
		return SASL{}, bad(key+".mechanism", "use one of "+strings.Join(Mechanisms(), ", "), "%q is not known", f.Mechanism)
	case f.Mechanism == MechanismOAuth:
		return f.oauth(key, dir)
	case f.Mechanism == MechanismAWS:
		return f.aws(key, dir)
	}
	out := SASL{Mechanism: f.Mechanism, Username: f.Username, PasswordFile: within(dir, f.PasswordFile)}
	if f.Username == "" {
		return out, bad(key+".username", "add username: ...", "is missing")
	}
	var err error
	if out.Password, err = secret(key+".password", f.Password, f.PasswordFile, dir); err == nil && out.Password.IsZero() {
		err = bad(key+".password", "add password: ${KAFKA_PASSWORD}, or password_file", "is missing")
	}
	return out, err
}

// oauth checks the login by a token.
func (f *fileSASL) oauth(key, dir string) (SASL, error) {
	out := SASL{Mechanism: f.Mechanism, TokenFile: within(dir, f.TokenFile)}
	ways := 0
	for _, used := range []bool{f.Token != "", f.TokenFile != "", f.OAuth2 != nil} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return out, bad(key, "use one of token, token_file and oauth2", "%d ways to get a token are set", ways)
	}
	var err error
	if f.OAuth2 != nil {
		out.OAuth2, err = f.OAuth2.validate(key+".oauth2", dir)
		return out, err
	}
	out.Token, err = secret(key+".token", f.Token, f.TokenFile, dir)
	return out, err
}

// aws checks the login by an identity of Amazon Web Services.
func (f *fileSASL) aws(key, dir string) (SASL, error) {
	out := SASL{Mechanism: f.Mechanism}
	var err error
	if out.AWS.AccessKey, err = secret(key+".access_key", f.AccessKey, f.AccessKeyFile, dir); err != nil {
		return out, err
	}
	if out.AWS.SecretKey, err = secret(key+".secret_key", f.SecretKey, f.SecretKeyFile, dir); err != nil {
		return out, err
	}
	out.AWS.SessionToken = NewSecret(f.SessionToken)
	if out.AWS.AccessKey.IsZero() || out.AWS.SecretKey.IsZero() {
		return out, bad(key, "add access_key: ${AWS_ACCESS_KEY_ID} and secret_key: ${AWS_SECRET_ACCESS_KEY}",
			"access_key or secret_key is missing")
	}
	return out, nil
}

// file is how the login would be written, but for its secrets.
func (s SASL) file() *fileSASL {
	if s.Mechanism == "" {
		return nil
	}
	f := &fileSASL{
		Mechanism: s.Mechanism, Username: s.Username, Password: s.Password.String(), PasswordFile: s.PasswordFile,
		Token: s.Token.String(), TokenFile: s.TokenFile, OAuth2: s.OAuth2.file(),
		AccessKey: s.AWS.AccessKey.String(), SecretKey: s.AWS.SecretKey.String(), SessionToken: s.AWS.SessionToken.String(),
	}
	if s.PasswordFile != "" {
		f.Password = ""
	}
	if s.TokenFile != "" {
		f.Token = ""
	}
	return f
}

func (o OAuth2) file() *fileOAuth2 {
	if o.TokenURL == "" {
		return nil
	}
	return &fileOAuth2{TokenURL: o.TokenURL, ClientID: o.ClientID, ClientSecret: o.ClientSecret.String(), Scope: o.Scope}
}
