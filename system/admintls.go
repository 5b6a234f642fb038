package system

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"strowger/config"
	"strowger/config/regular"
	"strowger/transport"
)

// adminTLS has the certificates of the admin pages. They are read again for each connection, of which there are few, so
// that renewed files need no reload.
type adminTLS struct {
	certificate *transport.Certificate
	authorities string // file; empty: no client certificate counts
	log         *slog.Logger

	mu     sync.Mutex // Protects following.
	pool   *x509.CertPool
	warned time.Time // when a file could not be read last
}

// newAdminTLS reads the files. It returns nil if the settings name none.
func newAdminTLS(a *config.Admin, log *slog.Logger) (*adminTLS, error) {
	if a.TLSCertificate == "" || a.Address == "" {
		return nil, nil //nolint:nilnil // none is not an error
	}
	t := &adminTLS{authorities: a.ClientCA, log: log}
	var err error
	if t.certificate, err = transport.LoadCertificate(a.TLSCertificate, a.TLSKey); err != nil {
		return nil, fmt.Errorf("admin.tls_certificate, admin.tls_key: %w", err)
	}
	if err := t.readAuthorities(); err != nil {
		return nil, fmt.Errorf("admin.client_ca: %w", err)
	}
	return t, nil
}

// readAuthorities reads the file again. On error those that were read before stay in use.
func (t *adminTLS) readAuthorities() error {
	if t.authorities == "" {
		return nil
	}
	pool, err := regular.Authorities(t.authorities)
	if err != nil {
		return fmt.Errorf("%s: %w", t.authorities, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pool = pool
	return nil
}

// config returns how the pages are served.
func (t *adminTLS) config() *tls.Config {
	if t == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.fresh(), nil }}
}

// fresh returns the configuration for one connection, with the files as they are now. Files that cannot be used are left
// out: an operator must get in, so that he can mend them.
func (t *adminTLS) fresh() *tls.Config {
	if err := errors.Join(t.certificate.Reload(), t.readAuthorities()); err != nil {
		t.warn(err)
	}
	// Without NextProtos of HTTP/2, because the console takes connections over.
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*t.certificate.Current()}, NextProtos: []string{"http/1.1"}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pool != nil {
		c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, t.pool
	}
	return c
}

// warn logs an error once a minute.
func (t *adminTLS) warn(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.warned) >= time.Minute {
		t.warned = now
		t.log.Warn("TLS files of the admin pages cannot be read, those read before stay in use", "err", err,
			"setting", "admin.tls_certificate, admin.tls_key, admin.client_ca")
	}
}
