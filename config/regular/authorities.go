package regular

import (
	"crypto/x509"
	"errors"
)

// largestAuthorities bounds what is read of a file of authorities, in bytes. Those of a whole system take a quarter of a MiB.
const largestAuthorities = 4 << 20

// Authorities returns the certificates in a PEM file, as those that may vouch for others. Its errors are those of ReadFile,
// and one for a file without a certificate that can be used.
func Authorities(path string) (*x509.CertPool, error) {
	text, err := ReadFile(path, largestAuthorities)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("has no certificate in PEM")
	}
	return pool, nil
}
