package check

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"strowger/config/regular"
)

// soon is how long before its end a certificate is to be renewed.
const soon = 14 * 24 * time.Hour

// largestPEM bounds what is read of a file that is probably no PEM file.
const largestPEM = 1 << 20

// pair is a certificate that browsers get to see.
type pair struct {
	whose     string   // the setting or the server
	cert, key string   // files
	names     []string // that browsers ask for
	renewed   string   // what follows a renewal
}

// certificates looks at that of the router and at those of nginx's servers that lead to it.
func (c *checker) certificates(r *report) {
	var seen []pair
	if l := &c.Config.Listen; l.TLSCertificate != "" {
		renewed := "systemctl reload websockets"
		if c.Machine.Windows {
			renewed = c.restartRouter()
		}
		seen = append(seen, pair{"listen.tls_certificate", l.TLSCertificate, l.TLSKey, nil, renewed})
	}
	if a := &c.Config.Admin; a.TLSCertificate != "" {
		seen = append(seen, pair{"admin.tls_certificate", a.TLSCertificate, a.TLSKey, nil, ""})
	}
	known := map[string]bool{}
	for _, p := range c.nginx().ours {
		if p.TLS && p.Certificate != "" && !strings.Contains(p.Certificate, "$") && !known[p.Certificate] {
			known[p.Certificate] = true
			seen = append(seen, pair{"nginx's server of " + serverNames(p), p.Certificate, p.Key, realNames(p.Names), "systemctl reload nginx"})
		}
	}
	if len(seen) == 0 {
		r.note(TLSCertificate, "", "neither the router nor a server of nginx that leads to it has a certificate")
	}
	for _, one := range seen {
		c.pair(r, one)
	}
}

// pair looks at one certificate and its key.
func (c *checker) pair(r *report, p pair) {
	data, err := regular.ReadFile(c.Machine.path(p.cert), largestPEM)
	if denied(err) && !c.Machine.root() {
		r.note(TLSCertificate, c.asRoot(), "%s: this user may not read %s", p.whose, p.cert)
		return
	}
	chain, parseErr := parseChain(data)
	if err := errors.Join(err, parseErr); err != nil {
		r.fail(TLSCertificate, "ls -l "+p.cert+" # must be the PEM file of the certificate and its chain", "%s: %s: %v", p.whose, p.cert, firstLine(err.Error()))
		return
	}
	c.expiry(r, p, chain)
	c.key(r, p, data)
	if len(p.names) > 0 {
		c.names(r, p, chain[0])
	}
	c.chain(r, p, chain)
}

func parseChain(data []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("has no certificate in PEM form")
	}
	return chain, nil
}

// expiry names the certificate of the chain that ends first.
func (c *checker) expiry(r *report, p pair, chain []*x509.Certificate) {
	now, first := c.Machine.Now(), chain[0]
	for _, cert := range chain {
		if now.Before(cert.NotBefore) {
			r.fail(TLSCertificate, "timedatectl # or wait until then", "%s: the certificate of %s in %s is not valid before %s", p.whose, subject(cert), p.cert, day(cert.NotBefore))
			return
		}
		if cert.NotAfter.Before(first.NotAfter) {
			first = cert
		}
	}
	mend := "certbot renew # or renew it as you got it, then: " + p.renewed
	switch left := first.NotAfter.Sub(now); {
	case left <= 0:
		r.fail(TLSCertificate, mend, "%s: the certificate of %s in %s expired on %s: browsers refuse it", p.whose, subject(first), p.cert, day(first.NotAfter))
	case left < soon:
		r.warn(TLSCertificate, mend, "%s: the certificate of %s in %s expires on %s, in %d days", p.whose, subject(first), p.cert, day(first.NotAfter), int(left/(24*time.Hour)))
	default:
		r.ok(TLSCertificate, "%s: the certificate of %s in %s is good until %s", p.whose, subject(chain[0]), p.cert, day(first.NotAfter))
	}
}

func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// subject names a certificate for people.
func subject(cert *x509.Certificate) string {
	if len(cert.DNSNames) > 0 {
		return strings.Join(cert.DNSNames, ", ")
	}
	return fmt.Sprintf("%q", cert.Subject.String())
}

// key tells whether the key fits.
func (c *checker) key(r *report, p pair, cert []byte) {
	key, err := regular.ReadFile(c.Machine.path(p.key), largestPEM)
	if denied(err) && !c.Machine.root() {
		r.note(TLSKey, c.asRoot(), "%s: this user may not read the key %s, so that nobody can tell whether it fits", p.whose, p.key)
		return
	}
	if err == nil {
		_, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		r.fail(TLSKey, "openssl x509 -noout -pubkey -in "+p.cert+"; openssl pkey -pubout -in "+p.key+" # must print the same", "%s: the key %s cannot be used with %s: %v", p.whose, p.key, p.cert, err)
		return
	}
	r.ok(TLSKey, "%s: the key belongs to the certificate", p.whose)
}

// names tells whether browsers accept the certificate for what they ask for.
func (c *checker) names(r *report, p pair, leaf *x509.Certificate) {
	var missing []string
	for _, name := range p.names {
		if leaf.VerifyHostname(name) != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		r.warn(TLSNames, "certbot certonly -d "+strings.Join(p.names, " -d ")+" # or get one for all names as you got this one, then: "+p.renewed,
			"%s: the certificate is for %s, not for %s", p.whose, subject(leaf), strings.Join(missing, ", "))
		return
	}
	r.ok(TLSNames, "%s: the certificate is for %s", p.whose, strings.Join(p.names, ", "))
}

// chain tells whether the file leads to a certificate that is trusted.
func (c *checker) chain(r *report, p pair, chain []*x509.Certificate) {
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	leaf := chain[0]
	// The end of a certificate is another finding.
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.Machine.Roots, Intermediates: between, CurrentTime: leaf.NotAfter.Add(-time.Second)})
	switch {
	case err == nil:
		r.ok(TLSChain, "%s: the chain leads to a certificate that this machine trusts", p.whose)
	case leaf.CheckSignatureFrom(leaf) == nil || string(leaf.RawIssuer) == string(leaf.RawSubject):
		r.warn(TLSChain, "certbot certonly -d NAME # or another certificate that browsers trust", "%s: the certificate is signed by itself: browsers trust it only after somebody says so", p.whose)
	default:
		r.warn(TLSChain, "append the certificates between yours and the root to "+p.cert+" (certbot's fullchain.pem has them), then: "+p.renewed,
			"%s: the chain does not lead to a certificate that this machine trusts: %v", p.whose, err)
	}
}
