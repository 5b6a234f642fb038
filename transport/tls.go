package transport

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"

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
	cert, err := regular.ReadFile(c.certFile, largestPEM)
	if err != nil {
		return fmt.Errorf("load certificate %s: %w", c.certFile, err)
	}
	key, err := regular.ReadFile(c.keyFile, largestPEM)
	if err != nil {
		return fmt.Errorf("load key %s: %w", c.keyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("load certificate %s, key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current.Store(&pair)
	return nil
}

// Config returns the server configuration that hands out the current pair.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
