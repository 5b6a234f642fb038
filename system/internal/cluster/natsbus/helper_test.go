package natsbus

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"strowger/config"
	"strowger/system/internal/cluster"
)

var _ cluster.Conn = (*Bus)(nil)

const (
	secret  = "the-secret-of-the-cluster"
	another = "the-secret-of-another-one"
	// patience is how long a test waits for what must come. Nothing takes so long unless it is broken.
	patience = 30 * time.Second
)

// logbook is a log that a test reads.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced with each line
}

func newLogbook() *logbook { return &logbook{more: make(chan struct{})} }

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(line)
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await returns the first line that has all texts.
func (l *logbook) await(t *testing.T, texts ...string) string {
	t.Helper()
	late := time.After(patience)
	for {
		l.mu.Lock()
		text, more := l.text.String(), l.more
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			if containsAll(line, texts) {
				return line
			}
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("the log has no line with %q:\n%s", texts, text)
		}
	}
}

func containsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// settings returns the defaults with changes.
func settings(t *testing.T, change func(c *config.Cluster)) *config.Cluster {
	t.Helper()
	cfg := config.Default()
	change(&cfg.Cluster)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return &cfg.Cluster
}

// bus is one that a test uses, with its log.
type bus struct {
	*Bus
	log *logbook
}

// open opens a bus, which is closed at the end of the test.
func open(t *testing.T, cfg *config.Cluster) *bus {
	t.Helper()
	b := prepare(t, cfg)
	if err := b.Open(0); err != nil {
		t.Fatal(err)
	}
	return b
}

func prepare(t *testing.T, cfg *config.Cluster) *bus {
	t.Helper()
	log := newLogbook()
	b, err := New(cfg, "test", log.logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return &bus{b, log}
}

// node opens a bus with a server inside that knows the addresses of others.
func node(t *testing.T, secret string, routes ...string) *bus {
	t.Helper()
	return open(t, settings(t, func(c *config.Cluster) {
		c.Listen, c.Routes, c.Secret = "127.0.0.1:0", routes, config.Secret(secret)
	}))
}

// hears returns what comes to subjects, as "subject text", in order.
func (b *bus) hears(t *testing.T, subjects ...string) <-chan string {
	t.Helper()
	heard := make(chan string, 100_000)
	for _, subject := range subjects {
		if err := b.Listen(subject, func(data []byte) { heard <- subject + " " + string(data) }); err != nil {
			t.Fatal(err)
		}
	}
	return heard
}

// calls publishes until one of what it has published is heard: connections between servers and what they know of
// each other come to be while tests run.
func (b *bus) calls(t *testing.T, heard <-chan string, subject string) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		_ = b.Publish(subject, []byte("hello"))
		select {
		case <-heard:
			return
		case <-again.C:
		case <-late:
			t.Fatalf("nobody hears %s; status %+v, log\n%s", subject, b.Status(), b.log)
		}
	}
}

// next returns the next of what is heard, apart from greetings.
func next(t *testing.T, heard <-chan string) string {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case text := <-heard:
			if !strings.HasSuffix(text, " hello") {
				return text
			}
		case <-late:
			t.Fatal("nothing is heard")
		}
	}
}

func (b *bus) publish(t *testing.T, subject, text string) {
	t.Helper()
	if err := b.Publish(subject, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// until waits until a condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal(what)
		}
	}
}

// external starts a NATS server with a client port, and returns its address and what ends it.
func external(t *testing.T, change func(o *natsserver.Options)) (address string, stop func()) {
	t.Helper()
	o := &natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true}
	if change != nil {
		change(o)
	}
	s, err := natsserver.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	stop = sync.OnceFunc(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	t.Cleanup(stop)
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s.Addr().String(), stop
}

// file writes a file that nobody else may read, and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authority signs certificates of nodes at 127.0.0.1.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	path        string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, key := a.sign(template, nil)
	var err error
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.key, a.path = key, file(t, pemText("CERTIFICATE", der))
	return a
}

func (a *authority) sign(template, parent *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// pair writes a certificate and its key and returns the paths.
func (a *authority) pair() (certificate, key string) {
	a.t.Helper()
	der, private := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "node"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a.certificate)
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return file(a.t, pemText("CERTIFICATE", der)), file(a.t, pemText("PRIVATE KEY", text))
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// turnstile is a way to an address that can be closed.
type turnstile struct {
	address string
	mu      sync.Mutex // held while it is closed
}

func newTurnstile(t *testing.T, to string) *turnstile {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &turnstile{address: listener.Addr().String()}
	var hands sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		hands.Wait()
	})
	hands.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				_ = from.Close()
				continue
			}
			hands.Go(func() { w.carry(there, from) })
			hands.Go(func() { w.carry(from, there) })
		}
	})
	return w
}

// carry copies until one of both ends.
func (w *turnstile) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		w.mu.Lock()
		if n > 0 && err == nil {
			_, err = to.Write(piece[:n])
		}
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// close keeps what comes until open.
func (w *turnstile) close() { w.mu.Lock() }
func (w *turnstile) open()  { w.mu.Unlock() }
