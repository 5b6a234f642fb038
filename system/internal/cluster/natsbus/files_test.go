package natsbus

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"strowger/config"
)

func TestFilesThatAreWrong(t *testing.T) {
	ours := newAuthority(t)
	certificate, key := ours.pair()
	_, other := ours.pair()
	open := file(t, "hidden-hidden-hidden")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	inside := func(change func(c *config.Cluster)) func(c *config.Cluster) {
		return func(c *config.Cluster) {
			c.Listen = "127.0.0.1:0"
			change(c)
		}
	}
	outside := func(change func(c *config.Cluster)) func(c *config.Cluster) {
		return func(c *config.Cluster) {
			c.NATS = []string{"127.0.0.1:1"}
			change(c)
		}
	}
	gone := filepath.Join(t.TempDir(), "gone")
	tests := map[string]struct {
		change func(c *config.Cluster)
		want   []string
	}{
		"no secret file": {inside(func(c *config.Cluster) { c.SecretFile = gone }), []string{"cluster.secret_file: ", gone, "no such file"}},
		"a directory":    {inside(func(c *config.Cluster) { c.SecretFile = t.TempDir() }), []string{"cluster.secret_file: ", "is not a regular file"}},
		"short":          {inside(func(c *config.Cluster) { c.SecretFile = file(t, "hidden\n") }), []string{"cluster.secret_file: ", "has 6 characters"}},
		"readable":       {inside(func(c *config.Cluster) { c.SecretFile = open }), []string{"cluster.secret_file: " + open, "has mode 0644, which lets others use it; want 0600 or 0640"}},
		"no password":    {outside(func(c *config.Cluster) { c.User, c.PasswordFile = "u", file(t, "\nx") }), []string{"cluster.password_file: ", "first line is empty"}},
		"no seed":        {outside(func(c *config.Cluster) { c.NKeyFile = file(t, "hidden") }), []string{"cluster.nkey_file: ", "no seed of an nkey"}},
		"no JWT":         {outside(func(c *config.Cluster) { c.CredsFile = file(t, "hidden") }), []string{"cluster.creds_file: ", "no seed"}},
		"no pair": {inside(func(c *config.Cluster) { c.TLSCertificate, c.TLSKey, c.TLSCA = certificate, other, ours.path }),
			[]string{"cluster.tls_certificate: " + certificate, "are no pair"}},
		"no authority": {outside(func(c *config.Cluster) { c.TLSCA = file(t, "x") }), []string{"cluster.tls_ca: ", "no certificate in PEM"}},
		"no authority inside": {inside(func(c *config.Cluster) { c.TLSCertificate, c.TLSKey, c.TLSCA = certificate, key, file(t, "x") }),
			[]string{"cluster.tls_ca: ", "no certificate in PEM"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if name == "readable" && runtime.GOOS == "windows" {
				t.Skip("there are no modes")
			}
			_, err := New(settings(t, test.change), "test", slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("it is taken")
			}
			if !containsAll(err.Error(), test.want) {
				t.Errorf("the error is %q, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("a secret is in the error: %v", err)
			}
		})
	}
}

func TestWhoMayReadSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	path := file(t, "x")
	for mode, good := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o440: true, 0o660: false, 0o604: false, 0o644: false, 0o666: false, 0o602: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := (&files{uid: os.Geteuid()}).readSecret(path); (err == nil) != good {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

// A certificate that is replaced is used for the next connection, and one that is broken is not.
func TestCertificateIsReadAgain(t *testing.T) {
	ours := newAuthority(t)
	certificate, key := ours.pair()
	f := &files{uid: os.Geteuid(), cfg: settings(t, func(c *config.Cluster) {
		c.Listen, c.TLSCertificate, c.TLSKey, c.TLSCA = "127.0.0.1:0", certificate, key, ours.path
	}), log: slog.New(slog.DiscardHandler)}
	first := f.current()
	if err := os.WriteFile(certificate, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f.current() != first {
		t.Error("a broken certificate takes the place of a good one")
	}
	newCertificate, newKey := ours.pair()
	for from, to := range map[string]string{newCertificate: certificate, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if string(f.current().Certificate[0]) == string(first.Certificate[0]) {
		t.Error("a new certificate is not used")
	}
}

func TestQuiet(t *testing.T) {
	log, now := newLogbook(), time.Now()
	q := newQuiet(log.logger())
	q.now = func() time.Time { return now }
	for i := range 100 {
		q.log(slog.LevelWarn, "attempt", "n", i)
		q.log(slog.LevelDebug, "never")
	}
	q.log(slog.LevelWarn, "other")
	now = now.Add(again)
	q.log(slog.LevelWarn, "attempt", "n", 1000)
	if lines := strings.Count(log.String(), "\n"); lines != 3 {
		t.Errorf("%d lines, want 3:\n%s", lines, log)
	}
	for i := range 2 * kinds {
		q.log(slog.LevelWarn, "kind "+strings.Repeat("x", i))
	}
	if len(q.last) > kinds {
		t.Errorf("%d kinds are kept", len(q.last))
	}
}

// CheckFiles looks with the eyes of another user, and says when a certificate is not good now.
func TestCheckFiles(t *testing.T) {
	secret := file(t, "0123456789abcdef")
	cfg := &config.Cluster{Listen: "127.0.0.1:0", SecretFile: secret}
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckFiles(cfg, os.Geteuid()); err != nil {
		t.Error(err)
	}
	if runtime.GOOS != "windows" {
		if err := CheckFiles(cfg, os.Geteuid()+1); err == nil || !strings.Contains(err.Error(), "cluster.secret_file") {
			t.Errorf("with the eyes of another user: %v", err)
		}
	}
	now := time.Now()
	for _, leaf := range []*x509.Certificate{{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(-time.Minute)}, {NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour)}} {
		if err := expired(&tls.Certificate{Leaf: leaf}); err == nil || !strings.Contains(err.Error(), "it is good from") {
			t.Errorf("a certificate from %v to %v: %v", leaf.NotBefore, leaf.NotAfter, err)
		}
	}
	if err := expired(&tls.Certificate{Leaf: &x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}}); err != nil {
		t.Error(err)
	}
}
