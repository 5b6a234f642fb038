package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
)

// address is where a router listens.
type address struct {
	url    string // as the upgrade request names it
	host   string // without port
	dial   string // host:port
	secure bool
}

// CheckURL returns an error when url is not one that Dial can connect to: it must be a ws or wss URL with a
// host and without a user. It does not connect.
func CheckURL(url string) error {
	_, err := parseAddress(url)
	return err
}

// parseAddress reads a ws or wss URL.
func parseAddress(raw string) (*address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	a := &address{url: raw, host: u.Hostname(), secure: u.Scheme == "wss"}
	switch {
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, fmt.Errorf("url %q: scheme must be ws or wss", u.Redacted())
	case a.host == "":
		return nil, fmt.Errorf("url %q: host is missing", u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("url %q: user names do not belong here, use Options.Header", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = "80"
		if a.secure {
			port = "443"
		}
	}
	a.dial = net.JoinHostPort(a.host, port)
	return a, nil
}

// open connects, with TLS where the URL asks for it.
func (a *address) open(ctx context.Context, opts *Options) (net.Conn, error) {
	conn, err := opts.Dial(ctx, "tcp", a.dial)
	if err == nil && conn == nil {
		err = errors.New("options: Dial has returned no connection and no error")
	}
	if err != nil || !a.secure {
		return conn, err
	}
	cfg := opts.TLS.Clone()
	if cfg == nil {
		cfg = new(tls.Config)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = a.host
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}
