package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/transport/frame"
)

// writePair makes a certificate for name and writes it, with its key, over the files.
func writePair(t *testing.T, certFile, keyFile, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// loadPair returns a certificate for "old" and the names of its files.
func loadPair(t *testing.T) (pair *Certificate, certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writePair(t, certFile, keyFile, "old")
	pair, err := LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair, certFile, keyFile
}

var trusting = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test asks which certificate, not whose

func (p *peer) certificate() string {
	return p.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificateReload(t *testing.T) {
	pair, certFile, keyFile := loadPair(t)
	s := newServer(t, pair.Config(), nil)
	before := s.dialTLS(trusting)
	if got := before.certificate(); got != "old" {
		t.Fatalf("certificate of %q, want old", got)
	}
	if err := os.WriteFile(certFile, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pair.Reload(); err == nil || !strings.Contains(err.Error(), certFile) {
		t.Errorf("error %v, want one that names %s", err, certFile)
	}
	if got := s.dialTLS(trusting).certificate(); got != "old" {
		t.Errorf("after a bad reload certificate of %q, want old", got)
	}
	writePair(t, certFile, keyFile, "new")
	if err := pair.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := s.dialTLS(trusting).certificate(); got != "new" {
		t.Errorf("after a reload certificate of %q, want new", got)
	}
	before.ping("still here")
	before.write(masked(bye, []byte("\x03\xe8")))
	before.closed(frame.CloseNormal)
}

func TestTLSLongReply(t *testing.T) {
	pair, _, _ := loadPair(t)
	s := newServer(t, pair.Config(), nil)
	page, service := s.dialTLS(trusting), s.dialTLS(trusting)
	page.text(`{"service":"authentication","token":{"name":"client","hash":"x"}}`)
	page.status(200)
	service.text(`{"service":"authentication","token":{"name":"service:a","hash":"x"}}`)
	service.status(200)
	page.text(`{"service":"a","request_id":1}`)
	asker := service.envelope().ResourceID
	const size = 15 << 20
	service.text(`{"service":"a","request_id":1,"resource_id":"` + asker + `","payload":` + filler(size) + `}`)
	if got := len(page.envelope().Payload); got != size+2 {
		t.Errorf("%d bytes, want %d", got, size+2)
	}
	page.ping("alive")
}

// TestTLSStuckReaderDoesNotStallShard: to say goodbye over TLS is a write, which a peer that reads
// nothing must not make its shard wait for.
func TestTLSStuckReaderDoesNotStallShard(t *testing.T) {
	pair, _, _ := loadPair(t)
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.WriteTimeout = 4, 50*time.Millisecond })
	near, far := r.tcpPair(2 << 10)
	client := tls.Client(far, trusting)
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	server := tls.Server(near, pair.Config())
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	stuck := r.attached(server)
	t.Cleanup(func() { _ = far.Close() })
	stuck.Send(framed(strings.Repeat("x", 1<<20)))
	start := time.Now()
	eventually(t, "the stuck connection is gone", func() bool { return r.Live() == 0 })
	r.settle()
	// crypto/tls waits five seconds for its goodbye.
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("the shard answered after %v", took)
	}
}

func TestLoadCertificateNamesFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pem")
	if _, err := LoadCertificate(missing, missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one that names %s", err, missing)
	}
}

// Who is told to go and stays is cut off, and so is everybody at the end of a stop, with TLS too.
func TestTLSPeerThatStaysIsCutOff(t *testing.T) {
	pair, _, _ := loadPair(t)
	s := newServer(t, pair.Config(), nil)
	stays := s.dialTLS(trusting).login("client")
	stays.write(unmasked(text, []byte("{}"))) // a breach of the protocol
	if m := stays.next(); m.op != frame.OpClose {
		t.Fatalf("got opcode %d, want a close frame", m.op)
	}
	// The shard hears a little later that the close frame is out, and only then the time begins.
	now := time.Now()
	eventually(t, "the connection ends", func() bool {
		now = now.Add((lingerTime + 1) * time.Second)
		s.tick(now)
		return s.Live() == 0
	})
	last := s.dialTLS(trusting).login("client")
	s.AbortAll()
	eventually(t, "the last connection ends", func() bool { return s.Live() == 0 })
	if _, err := last.Read(make([]byte, 1)); err == nil {
		t.Error("something came from a connection that was cut off")
	}
}
