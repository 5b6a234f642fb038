package succession

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"strowger/system/token"
)

// certificate writes a certificate and its key for this machine.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLSIsClosed: a connection with TLS is told to come back, and gets in again with its token.
func TestTLSIsClosed(t *testing.T) {
	cert, key := certificate(t)
	r := run(t, open+fmt.Sprintf("listen: {tls_certificate: %s, tls_key: %s}\ntokens: {reclaim: 5m}\n", cert, key))
	made := r.mint(token.Spec{})
	connect := func() *raw {
		t.Helper()
		conn, err := tls.Dial("tcp", r.Addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		w := &raw{t: t, conn: conn, in: bufio.NewReader(conn)}
		w.shake()
		return w
	}
	w := connect()
	w.login(made, 200)
	if u := r.upgrade(); u.Closed != 1 || u.Connections != 0 {
		t.Errorf("%d connections have crossed and %d were closed, want 0 and 1", u.Connections, u.Closed)
	}
	w.closed(1001)
	connect().login(made, 200)
}
