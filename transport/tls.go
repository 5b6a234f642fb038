package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"strowger/config/regular"
)

// largestPEM bounds what is read of a file that is probably no PEM file.
const largestPEM = 1 << 20

// Certificate is a key pair read from PEM files that can be read again while connections are
// served. It may be used from any goroutine.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads the pair, or says which file is wrong.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again. On error the old pair stays in use.
func (c *Certificate) Reload() error {
	pair, err := c.Read()
	if err != nil {
		return err
	}
	c.Use(pair)
	return nil
}

// Use makes a pair the one in use.
func (c *Certificate) Use(pair *tls.Certificate) { c.current.Store(pair) }

// Current returns the pair in use.
func (c *Certificate) Current() *tls.Certificate { return c.current.Load() }

// Read reads the pair from the files, and leaves the one in use as it is.
func (c *Certificate) Read() (*tls.Certificate, error) {
	cert, certErr := regular.ReadFile(c.certFile, largestPEM)
	if certErr != nil {
		certErr = fmt.Errorf("load certificate %s: %w", c.certFile, certErr)
	}
	key, keyErr := regular.ReadFile(c.keyFile, largestPEM)
	if keyErr != nil {
		keyErr = fmt.Errorf("load key %s: %w", c.keyFile, keyErr)
	}
	if certErr != nil || keyErr != nil {
		return nil, errors.Join(certErr, keyErr)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load certificate %s, key %s: %w", c.certFile, c.keyFile, err)
	}
	return &pair, nil
}

// CheckTime returns an error that names the first certificate of the chain that is not valid at a time,
// nil if all are. Clients refuse such a chain; the router serves it.
func (c *Certificate) CheckTime(now time.Time) error {
	for i, der := range c.current.Load().Certificate {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("certificate %d of %s: %w", i+1, c.certFile, err)
		}
		switch {
		case now.After(cert.NotAfter):
			return fmt.Errorf("certificate %d of %s, for %q, expired at %s", i+1, c.certFile, cert.Subject.String(), cert.NotAfter.UTC().Format(time.RFC3339))
		case now.Before(cert.NotBefore):
			return fmt.Errorf("certificate %d of %s, for %q, is not valid before %s", i+1, c.certFile, cert.Subject.String(), cert.NotBefore.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// Config returns the server configuration that hands out the current pair.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
