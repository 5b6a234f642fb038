package system

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/system/internal/console"
)

// authority signs certificates of a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	a.key, der = a.sign(template, template)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.write(name+".pem", "CERTIFICATE", der)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// issue writes a certificate and its key, and returns their files.
func (a *authority) issue(name string, use x509.ExtKeyUsage) (cert, key string) {
	a.t.Helper()
	private, der := a.sign(&x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{use},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, a.cert)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".crt", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", encoded)
}

// shows returns how a client trusts the authority and which certificate it shows, none for "".
func (a *authority) shows(cert, key string) *tls.Config {
	a.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	cfg := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			a.t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg
}

// askPages sends a request to the admin pages and returns the answer.
func askPages(t *testing.T, cfg *tls.Config, method, url string, header ...string) (int, string, error) {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = "{}"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err //nolint:wrapcheck // a test looks
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err //nolint:wrapcheck // a test looks
}

// The admin pages speak TLS, and the console takes a certificate of its authority in place of a password.
func TestAdminPagesWithTLS(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	cfg := consoleConfig(t)
	cfg.Admin.TLSCertificate, cfg.Admin.TLSKey = ours.issue("router", x509.ExtKeyUsageServerAuth)
	cfg.Admin.ClientCA, cfg.Admin.TrustLoopback, cfg.Admin.PasswordHash = ours.file, false, console.HashPassword("secret")
	s := start(t, cfg)
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	at := s.AdminAddr().String()
	ada, adaKey := ours.issue("ada", x509.ExtKeyUsageClientAuth)
	eve, eveKey := theirs.issue("ada", x509.ExtKeyUsageClientAuth)
	server, serverKey := ours.issue("server", x509.ExtKeyUsageServerAuth)
	shown := ours.shows(ada, adaKey)

	t.Run("without a certificate", func(t *testing.T) {
		if status, text, err := askPages(t, ours.shows("", ""), http.MethodGet, "https://"+at+"/healthz"); status != 200 {
			t.Errorf("healthz: %d %s %v", status, text, err)
		}
		if status, text, err := askPages(t, ours.shows("", ""), http.MethodPost, "https://"+at+"/console/token"); status != 401 {
			t.Errorf("token: %d %s %v", status, text, err)
		}
	})
	t.Run("without TLS", func(t *testing.T) {
		if status, text, err := askPages(t, nil, http.MethodGet, "http://"+at+"/healthz"); status != 400 {
			t.Errorf("%d %s %v", status, text, err)
		}
	})
	t.Run("of another authority", func(t *testing.T) {
		for name, cfg := range map[string]*tls.Config{"client": theirs.shows(eve, eveKey), "server's": ours.shows(server, serverKey)} {
			cfg.RootCAs = shown.RootCAs
			pair := cfg.Certificates[0]
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil } // whatever is asked for
			if status, text, err := askPages(t, cfg, http.MethodPost, "https://"+at+"/console/token"); err == nil {
				t.Errorf("%s: %d %s", name, status, text)
			}
		}
	})
	t.Run("through a proxy", func(t *testing.T) {
		if status, text, err := askPages(t, shown, http.MethodPost, "https://"+at+"/console/token", "X-Forwarded-For", "192.0.2.1"); status != 401 {
			t.Errorf("%d %s %v", status, text, err)
		}
	})
	t.Run("from a page of another origin", func(t *testing.T) {
		if status, text, err := askPages(t, shown, http.MethodPost, "https://"+at+"/console/token", "Origin", "https://evil.example"); status != 403 {
			t.Errorf("%d %s %v", status, text, err)
		}
	})
	t.Run("the console", func(t *testing.T) {
		if status, text, err := askPages(t, shown, http.MethodGet, "https://"+at+"/console/access"); status != 200 || !strings.Contains(text, `"way":"certificate"`) {
			t.Errorf("%d %s %v", status, text, err)
		}
		c, err := client.Dial(t.Context(), "wss://"+at+"/console/ws", func(context.Context) (made client.Token, err error) {
			_, text, err := askPages(t, shown, http.MethodPost, "https://"+at+"/console/token")
			if err == nil {
				err = json.Unmarshal([]byte(text), &made)
			}
			return made, err
		}, client.Options{TLS: shown})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		o := &desk{t, c}
		if status, text := o.ask("deadletter.replay", `{"number":7,"confirm":7}`, nil); status != 404 {
			t.Errorf("replay: %d %s", status, text)
		}
		var audit struct {
			Rows []struct{ Who, Action string }
		}
		if status, text := o.ask("audit", `{}`, &audit); status != 200 || len(audit.Rows) == 0 || audit.Rows[0].Who != "certificate CN=ada" {
			t.Errorf("audit: %d %s", status, text)
		}
	})
}

// Files that change are in use for the next connection, and files that cannot be used keep nobody out.
func TestAdminCertificateIsRenewed(t *testing.T) {
	ours := newAuthority(t, "ours")
	cfg := consoleConfig(t)
	cfg.Admin.TLSCertificate, cfg.Admin.TLSKey = ours.issue("router", x509.ExtKeyUsageServerAuth)
	s := start(t, cfg)
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	name := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", s.AdminAddr().String(), ours.shows("", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "router" {
		t.Fatalf("certificate of %q", got)
	}
	cert, key := ours.issue("renewed", x509.ExtKeyUsageServerAuth)
	for from, to := range map[string]string{cert: cfg.Admin.TLSCertificate, key: cfg.Admin.TLSKey} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if got := name(); got != "renewed" {
		t.Errorf("certificate of %q after the renewal", got)
	}
	if err := os.WriteFile(cfg.Admin.TLSCertificate, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "renewed" {
		t.Errorf("certificate of %q beside a broken file", got)
	}
}

func TestAdminTLSRefused(t *testing.T) {
	ours := newAuthority(t, "ours")
	cert, key := ours.issue("router", x509.ExtKeyUsageServerAuth)
	for name, test := range map[string]struct {
		change func(*config.Admin)
		want   string
	}{
		"no such file":     {func(a *config.Admin) { a.TLSCertificate = filepath.Join(t.TempDir(), "none") }, "admin.tls_certificate"},
		"no authority":     {func(a *config.Admin) { a.ClientCA = key }, "admin.client_ca"},
		"no authority yet": {func(a *config.Admin) { a.ClientCA = filepath.Join(t.TempDir(), "none") }, "admin.client_ca"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := consoleConfig(t)
			cfg.Admin.TLSCertificate, cfg.Admin.TLSKey = cert, key
			test.change(&cfg.Admin)
			if err := CheckCertificate(cfg, time.Now()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if _, err := New(Options{Config: cfg}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
