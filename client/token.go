package client

import (
	"context"
	"errors"
	"log/slog"
)

// Token proves an identity to the router. Both parts are opaque. One of a file
// does so once: the router spends it when it authenticates a connection. JWT and
// APIKey make tokens that are good for many connections.
type Token struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// jwtName is the name of a token that is a JWT (protocol 4.2.1).
const jwtName = "jwt"

// JWT returns the token for a JSON Web Token. Before it expires, the client asks
// its TokenSource for another one and presents it on the open connection, as
// Options.RenewBefore says. A TokenSource must not return one that has expired.
func JWT(text string) Token { return Token{Name: jwtName, Hash: text} }

// APIKey returns the token for an API key, with which a program becomes the service
// of that name. The name may be empty if the key is for one name only.
func APIKey(service, key string) Token {
	if service == "" {
		return Token{Name: "apikey", Hash: key}
	}
	return Token{Name: "apikey:" + service, Hash: key}
}

// TokenSource makes a fresh token. It is called once for each connection that is
// not let in with a ticket (Options.Resume), and again before a JWT expires. For a
// connection it is called after the router has asked for it, so that no token is
// made for a router that is down; ctx ends with Options.ConnectTimeout. Calls never
// overlap. An error that wraps ErrUnauthorized counts as a refusal by the router.
type TokenSource func(ctx context.Context) (Token, error)

// String hides the token, so that it cannot reach a log by accident.
func (t Token) String() string {
	return "token(hidden)"
}

// LogValue hides the token, so that it cannot reach a log by accident.
func (t Token) LogValue() slog.Value {
	return slog.StringValue(t.String())
}

func (t Token) check() error {
	switch {
	case t.Name == "":
		return errors.New("token: name is empty")
	case t.Hash == "":
		return errors.New("token: hash is empty")
	}
	return nil
}
