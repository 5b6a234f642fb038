package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// make makes a certificate, by itself or by another.
func (a *authority) make(by *authority, name string, until time.Time) (certPEM, keyPEM string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
		template.IsCA = name == "between"
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		a.t.Fatal(err)
	}
	a.key = key
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))
}

func TestCertificateOfNginx(t *testing.T) {
	year := time.Now().Add(365 * 24 * time.Hour)
	root, between, leaf := &authority{t: t}, &authority{t: t}, &authority{t: t}
	_, otherKey := root.make(nil, "root", year)
	betweenPEM, _ := between.make(root, "between", year)
	cert, key := leaf.make(between, "pbx.example.com", year)

	b := newBench(t, alone(t), "")
	b.o.Machine.Roots = x509.NewCertPool()
	b.o.Machine.Roots.AddCert(root.cert)
	b.write("etc/nginx/sites-enabled/pbx", "server { listen 443 ssl; server_name pbx.example.com; ssl_certificate /tls/c; ssl_certificate_key /tls/k;"+
		"location / { proxy_pass http://"+b.o.Config.Listen.Address+"; "+good+"} }")
	b.write("tls/c", cert+betweenPEM)
	b.write("tls/k", key)
	f := b.check()
	for _, name := range []Name{TLSCertificate, TLSKey, TLSNames, TLSChain} {
		f.want(name, OK)
	}
	b.write("tls/c", cert)
	b.write("tls/k", otherKey)
	f = b.check()
	f.want(TLSChain, Warning, "fullchain.pem", "systemctl reload nginx")
	f.want(TLSKey, Error, "openssl")
	cert, key = leaf.make(between, "www.example.com", time.Now().Add(24*time.Hour))
	b.write("tls/c", cert+betweenPEM)
	b.write("tls/k", key)
	f = b.check()
	f.want(TLSNames, Warning, "is for www.example.com, not for pbx.example.com")
	f.want(TLSCertificate, Warning, "in 0 days", "certbot renew")
	b.o.Machine.Now = func() time.Time { return time.Now().Add(48 * time.Hour) }
	b.check().want(TLSCertificate, Error, "expired")
	b.write("tls/c", "none")
	b.check().want(TLSCertificate, Error, "has no certificate in PEM form")
}

func TestCertificateOfTheRouter(t *testing.T) {
	self := &authority{t: t}
	cert, key := self.make(nil, "pbx.example.com", time.Now().Add(365*24*time.Hour))
	b := newBench(t, alone(t), "")
	b.write("c", cert)
	b.write("k", key)
	b.o.Config.Listen.TLSCertificate, b.o.Config.Listen.TLSKey = "/c", "/k"
	f := b.check()
	f.want(TLSCertificate, OK, "listen.tls_certificate")
	f.want(TLSKey, OK)
	f.want(TLSChain, Warning, "signed by itself")
	f.without(TLSNames)
	b.o.Config.Listen.TLSCertificate = filepath.Join("/", "none")
	b.check().want(TLSCertificate, Error, "no such file")
}
