package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestKeyFiles(t *testing.T) {
	rs := pairs()["RS256"]
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, rs.public, rs.private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	for name, test := range map[string]struct {
		alg, text string
		problem   string // "": none
	}{
		"public key":               {"RS256", rs.publicPEM(t), ""},
		"PKCS 1":                   {"RS384", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(rs.public.(*rsa.PublicKey))), ""},
		"certificate":              {"RS512", block("CERTIFICATE", certificate), ""},
		"secret with a line end":   {"HS256", strings.Repeat("s", 32) + "\n", ""},
		"secret that is short":     {"HS256", strings.Repeat("s", 31) + "\n", "31 bytes, HS256 needs 32"},
		"secret that is short too": {"HS512", strings.Repeat("s", 63), "63 bytes, HS512 needs 64"},
		"empty secret":             {"HS256", "", "0 bytes"},
		"private key":              {"RS256", rs.privatePEM(t), "openssl pkey"},
		"short RSA":                {"RS256", pair{public: &short.PublicKey}.publicPEM(t), "1024 bits"},
		"RSA for ES":               {"ES256", rs.publicPEM(t), "not for ES256"},
		"another curve":            {"ES256", pairs()["ES384"].publicPEM(t), "P-384 is not for ES256"},
		"a curve that is not used": {"ES256", pair{public: &p224.PublicKey}.publicPEM(t), "not for ES256"},
		"Ed25519 for RS":           {"RS256", pairs()["EdDSA"].publicPEM(t), "not for RS256"},
		"a request":                {"RS256", block("CERTIFICATE REQUEST", []byte{1}), "CERTIFICATE REQUEST"},
		"half":                     {"RS256", rs.publicPEM(t)[:100], "damaged"},
		"text":                     {"RS256", "key", "neither a PEM block nor a JWK"},
		"JWK of another algorithm": {"RS512", jwkText(t, rs.jwk("a")), `is for "RS256"`},
		"JWK for HS of an RSA key": {"HS256", `{"kty":"RSA","n":"` + encode(rs.public.(*rsa.PublicKey).N.Bytes()) + `","e":"AQAB"}`, "not for HS256"},
		"JWK of a secret for RS":   {"RS256", `{"kty":"oct","k":"` + encode([]byte(strings.Repeat("s", 64))) + `"}`, "a secret is not for RS256"},
		"JWK with a line end in k": {"HS256", `{"kty":"oct","k":"YWJj\nYWJj"}`, "base64url"},
		"too large":                {"RS256", strings.Repeat(" ", mostKeyFile+1), "larger than"},
		"an algorithm of nobody's": {"PS256", rs.publicPEM(t), "not one of"},
		"none":                     {"none", rs.publicPEM(t), "not one of"},
	} {
		t.Run(name, func(t *testing.T) {
			path := keyFile(t, test.text)
			err := CheckKeyFile(test.alg+" "+path, os.Geteuid())
			switch {
			case test.problem == "" && err != nil:
				t.Error(err)
			case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem) || !strings.Contains(err.Error(), path)):
				t.Errorf("got %v, want %q and the path", err, test.problem)
			}
			if err != nil && strings.Contains(err.Error(), "ssss") {
				t.Errorf("shows the secret: %v", err)
			}
		})
	}
}

func TestWhoMayUseKeyFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes")
	}
	secret, public := keyFile(t, strings.Repeat("s", 32)), keyFile(t, pairs()["RS256"].publicPEM(t))
	check := func(entry string, mode os.FileMode, problem string) {
		t.Helper()
		_, path, _ := strings.Cut(entry, " ")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		err := CheckKeyFile(entry, os.Geteuid())
		if problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("mode %o: %v, want %q", mode, err, problem)
		}
	}
	check("HS256 "+secret, 0o600, "")
	check("HS256 "+secret, 0o400, "")
	check("HS256 "+secret, 0o640, "0640")
	check("HS256 "+secret, 0o604, "0604")
	check("RS256 "+public, 0o644, "")
	check("RS256 "+public, 0o664, "0664")
	check("RS256 "+public, 0o646, "0646")
	if err := os.Link(secret, secret+"2"); err != nil {
		t.Fatal(err)
	}
	check("HS256 "+secret, 0o600, "2 links")
	if err := CheckKeyFile("RS256 "+filepath.Join(t.TempDir(), "none"), os.Geteuid()); err == nil {
		t.Error("no file: no error")
	}
	if err := CheckKeyFile("RS256 "+t.TempDir(), os.Geteuid()); err == nil {
		t.Error("a directory: no error")
	}
}

func TestMint(t *testing.T) {
	for _, alg := range Algorithms() {
		p := pairs()[alg]
		text := ""
		if secret, ok := p.private.([]byte); ok {
			text = string(secret)
		} else {
			text = p.privatePEM(t)
		}
		token, err := Mint(alg+" "+keyFile(t, text), "a", claims(nil))
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if _, err := verifier(t, options(p.entry(t))).Verify(token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	if _, err := Mint("RS256 "+keyFile(t, pairs()["ES256"].privatePEM(t)), "", nil); err == nil {
		t.Error("a key of another kind: no error")
	}
	if _, err := Mint("RS256 "+keyFile(t, pairs()["RS256"].publicPEM(t)), "", nil); err == nil {
		t.Error("a public key: no error")
	}
}
