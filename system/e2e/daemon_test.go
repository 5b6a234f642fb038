package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/system/internal/daemontest"
)

// daemon is a strowger process that a test stops.
type daemon struct{ *daemontest.Daemon }

// openServices is the policy of the tests' own services: everybody sees everything.
const openServices = "\npolicies:\n  lab_plain_service:\n    scopes: [{to: all}]\n"

// startDaemon runs the daemon with a configuration file of this text, and openServices unless it has policies. It stops the
// daemon when t ends.
func startDaemon(t *testing.T, yaml string) *daemon {
	t.Helper()
	return startDaemonAt(t, yaml, "127.0.0.1:0", t.TempDir())
}

// startDaemonAt is startDaemon with an address, a directory for tokens and more arguments.
func startDaemonAt(t *testing.T, yaml, addr, tokenDir string, more ...string) *daemon {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(yaml, "policies:") {
		yaml += openServices
	}
	config := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	// Other daemons of other tests run at the same time, so there is no address for admin.
	args := append([]string{"serve", "--listen", addr, "--admin=", "--token-dir", tokenDir, "--config", config}, more...)
	cmd := daemontest.Command(path, args...)
	started, err := daemontest.Start(cmd, tokenDir)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{started}
	t.Cleanup(func() {
		d.stop(t)
		if t.Failed() {
			t.Logf("the end of the daemon's log:\n%s", d.Log())
		}
	})
	return d
}

// hostPort returns the two parts of the address, as arguments of the PHP scripts.
func (d *daemon) hostPort(t *testing.T) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// stop asks the process to end and fails t if it was not healthy. A second call does nothing but report the same.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}
