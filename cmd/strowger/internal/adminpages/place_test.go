package adminpages

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/config"
)

// secure returns a server with TLS, and the file of its certificate.
func secure(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("pages")) }))
	t.Cleanup(s.Close)
	return s, write(t, s.Certificate())
}

func write(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func get(t *testing.T, p *Place) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL("/readyz"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.Client().Do(r)
	if err != nil {
		return err //nolint:wrapcheck // a test looks
	}
	return answer.Body.Close()
}

func TestAt(t *testing.T) {
	s, file := secure(t)
	host := s.Listener.Addr().String()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		address string
		files   Files
		want    string // in the error of At
		url     string
	}{
		"plain":              {"127.0.0.1:8081", Files{}, "", "http://127.0.0.1:8081/x"},
		"a plain URL":        {"http://127.0.0.1:8081", Files{}, "is not HOST:PORT", ""},
		"TLS":                {"https://" + host, Files{CA: file}, "", "https://" + host + "/x"},
		"no port":            {"127.0.0.1", Files{}, "is not HOST:PORT", ""},
		"a path":             {"https://127.0.0.1:8081/console/", Files{}, "is not HOST:PORT", ""},
		"files without TLS":  {"127.0.0.1:8081", Files{CA: file}, "go with https://", ""},
		"no such file":       {"https://" + host, Files{CA: file + "x"}, "no such file", ""},
		"key in place of CA": {"https://" + host, Files{CA: empty}, "no certificate in PEM", ""},
		"endless CA":         {"https://" + host, Files{CA: "/dev/null"}, "not a regular file", ""},
		"endless key":        {"https://" + host, Files{Certificate: file, Key: "/dev/null"}, "not a regular file", ""},
		"no key":             {"https://" + host, Files{Certificate: file}, "key", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := At(test.address, test.files)
			switch {
			case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Fatalf("got %v, want %q", err, test.want)
			case err == nil && p.URL("/x") != test.url:
				t.Errorf("got %s, want %s", p.URL("/x"), test.url)
			}
		})
	}
	known, _ := At("https://"+host, Files{CA: file})
	unknown, _ := At("https://"+host, Files{})
	if err := get(t, known); err != nil {
		t.Error(err)
	}
	if err := get(t, unknown); err == nil {
		t.Error("a certificate of nobody is taken")
	}
	if got := known.Socket("/ws"); got != "wss://"+host+"/ws" {
		t.Error(got)
	}
}

// A router on this machine is known by its certificate, whatever names that has.
func TestOf(t *testing.T) {
	s, file := secure(t)
	other, _ := secure(t)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	ours, err := Of(&config.Admin{Address: ":" + port, TLSCertificate: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, ours); err != nil {
		t.Error(err)
	}
	// httptest's servers share a certificate, so the file gets another one.
	der := *other.Certificate()
	der.Raw = append([]byte(nil), der.Raw...)
	der.Raw[len(der.Raw)-1]++
	theirs, err := Of(&config.Admin{Address: ":" + port, TLSCertificate: write(t, &der)})
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, theirs); err == nil || !strings.Contains(err.Error(), "admin.tls_certificate") {
		t.Errorf("another certificate: %v", err)
	}
	if _, err := Of(&config.Admin{Address: ":1", TLSCertificate: "/dev/null"}); err == nil {
		t.Error("a file without a certificate is taken")
	}
	for address, want := range map[string]string{":1": "127.0.0.1:1", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "192.0.2.1:1": "192.0.2.1:1"} {
		if got := Local(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
