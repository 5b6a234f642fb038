package client

import (
	"context"
	"errors"
	"log/slog"
)

// Token proves an identity to the router, once: the router spends it when it
// authenticates a connection. Both parts are opaque.
type Token struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// TokenSource makes a fresh token. It is called once for each connection,
// after the router has asked for it, so that no token is made for a router
// that is down; ctx ends with Options.ConnectTimeout. Calls never overlap. An
// error that wraps ErrUnauthorized counts as a refusal by the router.
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
