package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/system"
	"strowger/system/internal/daemontest"
)

// reloadable is a daemon whose settings a test changes.
type reloadable struct {
	*daemon
	t      *testing.T
	binary string
	config string
	admin  string
}

// startReloadable runs the daemon with settings and more arguments, and stops it when t ends. Its log may say that
// settings are wrong.
func startReloadable(t *testing.T, yaml string, more ...string) *reloadable {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &reloadable{t: t, binary: path, config: filepath.Join(t.TempDir(), "strowger.yaml")}
	r.configure(yaml)
	tokens := t.TempDir()
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", tokens, "--config", r.config}, more...)
	started, err := daemontest.Start(daemontest.Command(path, args...), tokens)
	if err != nil {
		t.Fatal(err)
	}
	r.daemon = &daemon{started}
	r.Allow("settings are wrong, the running ones stay")
	t.Cleanup(func() { r.stop(t) })
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if r.admin, err = r.AdminAddr(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reloadable) configure(yaml string) { r.write(r.config, yaml) }

func (r *reloadable) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// reload runs strowger reload and returns its exit status and what it printed.
func (r *reloadable) reload(more ...string) (status int, stdout, stderr string) {
	r.t.Helper()
	var out, problems bytes.Buffer
	cmd := daemontest.Command(r.binary, append([]string{"reload", "--admin", r.admin}, more...)...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	if ended := new(exec.ExitError); err != nil && !errors.As(err, &ended) {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

// logs waits for a line of the log.
func (r *reloadable) logs(text string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), deadline)
	defer cancel()
	if err := r.Await(ctx, text); err != nil {
		r.t.Error(err)
	}
}

// says wants a reload to succeed and to print these lines.
func (r *reloadable) says(lines ...string) {
	r.t.Helper()
	status, stdout, stderr := r.reload()
	want := strings.Join(lines, "\n") + "\n"
	if status != 0 || stdout != want || stderr != "" {
		r.t.Errorf("status %d, stderr %q, stdout\n%swant\n%s", status, stderr, stdout, want)
	}
}

// refuses wants a reload to fail with each of the texts on stderr.
func (r *reloadable) refuses(texts ...string) {
	r.t.Helper()
	status, stdout, stderr := r.reload()
	if status != 3 || stdout != "" {
		r.t.Errorf("status %d, stdout %q, want 3 and nothing", status, stdout)
	}
	for _, text := range append(texts, "strowger: the settings are wrong, the running ones stay\n") {
		if !strings.Contains(stderr, text) {
			r.t.Errorf("stderr %q, want %q", stderr, text)
		}
	}
}

// TestReloadAnswers changes settings of a running router in every way, and has strowger reload say what became of it.
func TestReloadAnswers(t *testing.T) {
	r := startReloadable(t, "limits: {depth: 9}\n")
	r.says("nothing has changed")
	r.configure("limits: {depth: 10}\n")
	r.says("in effect: limits.depth is 10, was 9")
	for name, test := range map[string]struct {
		yaml string
		want []string
	}{
		"broken YAML":    {"limits: {depth: 11\n", []string{r.config + ":1: "}},
		"unknown key":    {"limits: {depth: 11, deph: 1}\n", []string{r.config + ":1: limits.deph: "}},
		"wrong value":    {"limits: {depth: 1}\n", []string{r.config + ":1: limits.depth: 1 is too small, the smallest is 8"}},
		"several":        {"limits:\n  depth: 1\nlog: {level: loud}\n", []string{r.config + ":2: limits.depth: 1 is", r.config + ":3: log.level: loud is"}},
		"bad policy":     {"limits: {depth: 11}\npolicies: {weather: {scopes: [{to: everyone}]}}\n", []string{r.config + ":2: policies.weather.scopes"}},
		"no certificate": {"limits: {depth: 11}\nlisten: {tls_certificate: /nonexistent/c, tls_key: /nonexistent/k}\n", []string{"listen.tls_certificate, listen.tls_key: load certificate /nonexistent/c: ", "listen.tls_certificate, listen.tls_key: load key /nonexistent/k: "}},
	} {
		t.Run(name, func(t *testing.T) {
			r := *r
			r.t = t
			r.configure(test.yaml)
			r.refuses(test.want...)
			r.configure("limits: {depth: 10}\n")
			r.says("nothing has changed")
		})
	}
	const other = "limits: {depth: 10}\ntokens: {max_depth: 9}\n"
	r.configure(other)
	r.says("needs a restart: tokens.max_depth is 9, was 64")
	r.says("needs a restart: tokens.max_depth is 9, was 64") // it does as long as the router runs
	r.configure(other + "policies: {weather: {scopes: [{to: all}]}}\n")
	r.says("in effect: policies.weather is {scopes: [{to: all}]}, was nothing", "needs a restart: tokens.max_depth is 9, was 64")
	r.configure("limits: {depth: 11}\n")
	status, stdout, _ := r.reload("--json")
	var answer system.Reloaded
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || status != 0 || len(answer.Applied) != 2 || len(answer.Restart) != 0 {
		t.Errorf("status %d, %v: %s", status, err, stdout)
	}
	// The log says the same of each reload.
	for _, line := range []string{
		`"msg":"settings reloaded","changes":0}`,
		`"msg":"setting changed","key":"limits.depth","old":"9","new":"10"}`,
		`"msg":"settings are wrong, the running ones stay","err":"` + r.config + `:1: limits.deph: `,
		`"msg":"settings are wrong, the running ones stay","err":"listen.tls_certificate, listen.tls_key: load certificate /nonexistent/c`,
		`"msg":"setting changed, takes effect after a restart","key":"tokens.max_depth","old":"64","new":"9"}`,
	} {
		r.logs(line)
	}
}

// TestReloadTakesUpCertificates replaces a certificate and its key under the same names.
func TestReloadTakesUpCertificates(t *testing.T) {
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, certificate, key, "old", time.Hour)
	settings := fmt.Sprintf("listen: {tls_certificate: %s, tls_key: %s}\n", certificate, key)
	r := startReloadable(t, settings)
	serves := func(want string) {
		t.Helper()
		conn, err := tls.Dial("tcp", r.Addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test asks which certificate, not whose
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != want {
			t.Errorf("the certificate of %q is served, want %q", got, want)
		}
	}
	r.says("nothing has changed")
	// A certificate without its key, one that is none, and one that is gone.
	before, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, certificate, filepath.Join(dir, "other.pem"), "new", time.Hour)
	r.configure(settings + "limits: {depth: 10}\n")
	r.refuses("listen.tls_certificate, listen.tls_key: load certificate " + certificate + ", key " + key + ": tls: private key does not match public key")
	r.write(certificate, "no certificate")
	r.refuses("load certificate " + certificate + ", key " + key + ": ")
	if err := os.Remove(certificate); err != nil {
		t.Fatal(err)
	}
	r.refuses("load certificate " + certificate + ": ")
	serves("old")
	r.write(certificate, string(before))
	r.says("in effect: limits.depth is 10, was 511") // with a broken certificate it was not

	expires := writePair(t, certificate, key, "new", 2*time.Hour)
	status, stdout, stderr := r.reload()
	if want := "in effect: the certificate of " + certificate + " is CN=new until " + expires.Format(time.RFC3339) + ", was CN=old until "; status != 0 || !strings.HasPrefix(stdout, want) {
		t.Errorf("status %d, stderr %q, stdout %q, want %q", status, stderr, stdout, want)
	}
	serves("new")
	r.logs(`"msg":"certificate changed","file":"` + certificate + `","old":"CN=old until `)
	r.says("nothing has changed")

	// One that clients refuse is served, as at the start.
	writePair(t, certificate, key, "late", -time.Minute)
	if status, stdout, _ := r.reload(); status != 0 || !strings.HasPrefix(stdout, "warning: clients refuse the certificate: certificate 1 of "+certificate) {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	serves("late")

	// Other names need a restart. The files are looked at, and those in use are not.
	moved, movedKey := filepath.Join(dir, "moved.pem"), filepath.Join(dir, "moved-key.pem")
	r.configure(fmt.Sprintf("listen: {tls_certificate: %s, tls_key: %s}\n", moved, movedKey))
	r.refuses("load certificate " + moved + ": ")
	writePair(t, moved, movedKey, "moved", time.Hour)
	if err := os.Remove(certificate); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = r.reload()
	if want := fmt.Sprintf("needs a restart: listen.tls_certificate is %q, was %q\n", moved, certificate); status != 0 || !strings.Contains(stdout, want) {
		t.Errorf("status %d, stderr %q, stdout %q, want %q", status, stderr, stdout, want)
	}
	serves("late")
}

// TestReloadHidesPasswords changes a password of FusionPBX. The answer names it and shows neither.
func TestReloadHidesPasswords(t *testing.T) {
	fusion := filepath.Join(t.TempDir(), "config.conf")
	writeText(t, fusion, "switch.event_socket.password = hunter1\n")
	const alone = "services: {active_calls: php, active_conferences: php, operator_panel: php}\n"
	r := startReloadable(t, alone, "--fusionpbx="+fusion)
	r.write(fusion, "switch.event_socket.password = hunter2\n")
	r.says("needs a restart: switch.event_socket.password is another one, and does not show")
	if _, stdout, _ := r.reload("--json"); strings.Contains(stdout, "hunter") || !strings.Contains(stdout, `"switch.event_socket.password"`) {
		t.Errorf("answer %s", stdout)
	}
	if strings.Contains(r.Log(), "hunter") {
		t.Errorf("log:\n%s", r.Log())
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePair makes a certificate that expires after a time, and its key, and returns when it
// expires.
func writePair(t *testing.T, certificate, key, name string, valid time.Duration) time.Time {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(valid).UTC().Truncate(time.Second)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})))
	writeText(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return until
}
