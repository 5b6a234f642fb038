// Package adminpages finds the admin pages of a router, which verbs of the command line ask.
package adminpages

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"strowger/config"
	"strowger/config/regular"
	"strowger/transport"
)

// Place is where admin pages are. The zero Place is nowhere.
type Place struct {
	// Host is HOST:PORT.
	Host string
	// TLS is nil where the pages have none.
	TLS *tls.Config
}

// Files are what a verb was given for TLS, names of PEM files. Each may be empty.
type Files struct {
	CA               string // authorities that may vouch for the pages; those of the system if it is empty
	Certificate, Key string // what the verb shows
}

// At returns the place that an operator names: HOST:PORT, or https://HOST:PORT.
func At(address string, f Files) (*Place, error) {
	host, secure := strings.CutPrefix(address, "https://")
	if _, _, err := net.SplitHostPort(host); err != nil || strings.Contains(host, "/") {
		return nil, fmt.Errorf("%q is not HOST:PORT or https://HOST:PORT", address)
	}
	p := &Place{Host: host}
	if !secure {
		if f != (Files{}) {
			return nil, fmt.Errorf("certificates go with https://%s", host)
		}
		return p, nil
	}
	p.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		authorities, err := regular.Authorities(f.CA)
		if err != nil {
			return nil, fmt.Errorf("authorities %q: %w", f.CA, err)
		}
		p.TLS.RootCAs = authorities
	}
	if f.Certificate != "" || f.Key != "" {
		pair, err := transport.LoadCertificate(f.Certificate, f.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate %q, key %q: %w", f.Certificate, f.Key, err)
		}
		p.TLS.Certificates = []tls.Certificate{*pair.Current()}
	}
	return p, nil
}

// largestPEM bounds what is read of a file that is probably no PEM file.
const largestPEM = 1 << 20

// Of returns the place of a router on this machine with these settings, whose admin pages must not be off. With TLS the
// router is known by the certificate in its file, whatever names that has.
func Of(a *config.Admin) (*Place, error) {
	p := &Place{Host: Local(a.Address)}
	if a.TLSCertificate == "" {
		return p, nil
	}
	text, err := regular.ReadFile(a.TLSCertificate, largestPEM)
	if err != nil {
		return nil, fmt.Errorf("admin.tls_certificate: %s: %w", a.TLSCertificate, err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("admin.tls_certificate: %s has no certificate in PEM", a.TLSCertificate)
	}
	p.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, //nolint:gosec // VerifyConnection looks
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("who answers does not have the certificate of admin.tls_certificate")
			}
			return nil
		}}
	return p, nil
}

// Local returns the address by which this machine reaches a listener.
func Local(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// URL returns the address of a page, whose path begins with a slash.
func (p *Place) URL(path string) string {
	if p.TLS != nil {
		return "https://" + p.Host + path
	}
	return "http://" + p.Host + path
}

// Socket returns the address of a WebSocket.
func (p *Place) Socket(path string) string { return "ws" + strings.TrimPrefix(p.URL(path), "http") }

// Transport returns what sends requests to the pages. No proxy of the environment stands between, because the pages answer
// this machine and refuse what a proxy forwards.
func (p *Place) Transport() *http.Transport {
	return &http.Transport{TLSClientConfig: p.TLS, DisableKeepAlives: true}
}

// Client returns a client with that transport.
func (p *Place) Client() *http.Client { return &http.Client{Transport: p.Transport()} }

// String returns what an operator writes for the place.
func (p *Place) String() string {
	if p.TLS != nil {
		return "https://" + p.Host
	}
	return p.Host
}
