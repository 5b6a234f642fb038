package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writePair makes a certificate that is valid from and until some hours from now, and its key.
func writePair(t *testing.T, from, until int) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hours := func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pbx"}, NotBefore: hours(from), NotAfter: hours(until)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return certificate, key
}

// withTLS writes a file of settings with a certificate and key.
func withTLS(t *testing.T, certificate, key string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, fmt.Sprintf("listen: {tls_certificate: %s, tls_key: %s}\n", certificate, key))
	return file
}

func TestConfigCheckLooksAtTheCertificate(t *testing.T) {
	certificate, key := writePair(t, -1, 1)
	_, foreign := writePair(t, -1, 1)
	oldCertificate, oldKey := writePair(t, -2, -1)
	newCertificate, newKey := writePair(t, 1, 2)
	empty, dir := filepath.Join(t.TempDir(), "empty.pem"), t.TempDir()
	writeFile(t, empty, "")
	chain := filepath.Join(dir, "chain.pem")
	writeFile(t, chain, read(t, certificate)+read(t, oldCertificate))
	broken := filepath.Join(dir, "broken.pem")
	writeFile(t, broken, strings.Replace(read(t, certificate), "M", "!", 1))
	for name, test := range map[string]struct {
		certificate, key string
		want             []string // each line, without what stands before
	}{
		"good":             {certificate, key, nil},
		"missing":          {"/nonexistent/c.pem", "/nonexistent/k.pem", []string{"load certificate /nonexistent/c.pem: ", "load key /nonexistent/k.pem: "}},
		"directory":        {dir, key, []string{"load certificate " + dir + ": is a directory, not a regular file"}},
		"not a pair":       {certificate, foreign, []string{"load certificate " + certificate + ", key " + foreign + ": tls: private key does not match public key"}},
		"exchanged":        {key, certificate, []string{"PEM inputs may have been switched"}},
		"empty":            {empty, key, []string{"failed to find any PEM data"}},
		"broken":           {broken, key, []string{"load certificate " + broken}},
		"expired":          {oldCertificate, oldKey, []string{"certificate 1 of " + oldCertificate + `, for "CN=pbx", expired at `}},
		"not yet":          {newCertificate, newKey, []string{"certificate 1 of " + newCertificate + `, for "CN=pbx", is not valid before `}},
		"expired in chain": {chain, key, []string{"certificate 2 of " + chain + `, for "CN=pbx", expired at `}},
	} {
		t.Run(name, func(t *testing.T) {
			file := withTLS(t, test.certificate, test.key)
			var stdout, stderr bytes.Buffer
			status := run([]string{"config", "check", file}, strings.NewReader(""), &stdout, &stderr, nil)
			if test.want == nil {
				if status != 0 || stdout.String() != file+": ok\n" {
					t.Errorf("exit status %d, stdout %q, stderr %q", status, &stdout, &stderr)
				}
				return
			}
			lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
			if status != 1 || stdout.Len() > 0 || len(lines) != len(test.want) {
				t.Fatalf("exit status %d, stdout %q, stderr %q", status, &stdout, &stderr)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, file+": listen.tls_certificate, listen.tls_key: ") || !strings.Contains(line, test.want[i]) {
					t.Errorf("stderr %q, want %q", line, test.want[i])
				}
			}
		})
	}
}

// TestConfigCheckCannotReadTheKey has a key that only others may read.
func TestConfigCheckCannotReadTheKey(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads every file")
	}
	certificate, key := writePair(t, -1, 1)
	if err := os.Chmod(key, 0); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{"config", "check", withTLS(t, certificate, key)}, strings.NewReader(""), &stdout, &stderr, nil)
	if status != 1 || !strings.Contains(stderr.String(), "load key "+key+": open "+key+": permission denied") {
		t.Errorf("exit status %d, stderr %q", status, &stderr)
	}
}

// TestServeWarnsOfTheCertificate serves with a certificate that clients refuse, which is no reason not to.
func TestServeWarnsOfTheCertificate(t *testing.T) {
	certificate, key := writePair(t, -2, -1)
	daemon := begin(t, nil, "serve", "--listen", "127.0.0.1:0", "--admin", "", "--token-dir", t.TempDir(), "--config", withTLS(t, certificate, key))
	daemon.stderr.line(t, `"level":"WARN"`, "clients refuse the certificate", "expired at", `"setting":"listen.tls_certificate"`)
	var listening struct{ Addr string }
	if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	plain := begin(t, nil, "call", "a", "b", "--url", "ws://"+listening.Addr+"/")
	plain.wait(1)
	plain.stderr.line(t, "; with TLS the address begins with wss://")
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
