package e2e

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strowger/config"
	"strowger/system/internal/daemontest"
)

// scarce starts a daemon without an environment, so that HOME is unset too, and stops it when the test ends.
func scarce(t *testing.T, cmd *exec.Cmd) *daemontest.Daemon {
	t.Helper()
	cmd.Env = []string{}
	d, err := daemontest.Start(cmd, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestStartsBesideAnother starts two routers as somebody does who sets nothing but their addresses: without HOME, and
// with the default address of the admin pages, which another program has.
func TestStartsBesideAnother(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// If a program other than this test has the address, it may end at any moment, so that a router gets it.
	another, err := net.Listen("tcp", config.Default().Admin.Address)
	if err == nil {
		defer another.Close()
	}
	for range 2 {
		d := scarce(t, daemontest.Command(path, "serve", "--listen", "127.0.0.1:0", "--token-dir", t.TempDir()))
		if log := d.Log(); another != nil && strings.Count(log, "admin pages are off") != 1 {
			t.Errorf("log:\n%s", log)
		}
	}
}

// TestStartsOnTheAdminAddress starts a router that listens where the admin pages are by default.
func TestStartsOnTheAdminAddress(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	address := config.Default().Admin.Address
	probe, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("another program has it: %v", err)
	}
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := daemontest.Command(path, "serve", "--listen", address, "--token-dir", t.TempDir())
	cmd.Env = []string{}
	d, err := daemontest.Start(cmd, "")
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			t.Skipf("another program was faster: %v", err)
		}
		t.Fatal(err)
	}
	if log := d.Log(); strings.Count(log, "admin pages are off") != 1 {
		t.Errorf("log:\n%s", log)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}

// TestStartsOnReadOnlyFiles starts a router in whose root nothing can be written, as in a container with --read-only,
// but for the directory of the tokens; and one without even that, which says so and waits.
func TestStartsOnReadOnlyFiles(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	unshare := lookPath(t, "", "unshare")
	tokens := t.TempDir()
	// The new mounts are the process's own and vanish with it.
	const readOnly = `mount --make-rprivate / && mount --bind / "$0" && mount -o remount,bind,ro "$0"`
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(unshare, "--mount", "sh", "-c", readOnly, root).CombinedOutput(); err != nil {
		t.Skipf("this user may not mount: %v\n%s", err, out)
	}
	for name, more := range map[string]string{
		"tokens can be written": `mount -t tmpfs none "$0$1" && `,
		"nothing can":           "",
	} {
		t.Run(name, func(t *testing.T) {
			cmd := daemontest.Command(unshare, "--mount", "sh", "-c", readOnly+" && "+more+
				`exec chroot "$0" "$2" serve --listen 127.0.0.1:0 --admin=`, root, tokens, path)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tokens}
			d, err := daemontest.Start(cmd, "")
			if err != nil {
				t.Fatal(err)
			}
			if log := d.Log(); strings.Contains(log, "no token can be claimed") != (more == "") {
				t.Errorf("log:\n%s", log)
			}
			if err := d.Stop(); err != nil && !complainsOnlyOf(err, "no token can be claimed") {
				t.Error(err)
			}
		})
	}
}

// complainsOnlyOf reports whether all that a daemon's Stop found wrong is lines of the log that have a text.
func complainsOnlyOf(err error, text string) bool {
	complaints, _, _ := strings.Cut(err.Error(), "\nthe end of its log:\n")
	for complaint := range strings.SplitSeq(complaints, "\n") {
		if !strings.HasPrefix(complaint, "daemon log: ") || !strings.Contains(complaint, text) {
			return false
		}
	}
	return true
}

// TestComplainsOnlyOf forgives nothing that is joined to what is forgiven.
func TestComplainsOnlyOf(t *testing.T) {
	const forgiven = `daemon log: {"level":"ERROR","msg":"no token can be claimed"}`
	const log = "\nthe end of its log:\n{\"level\":\"ERROR\",\"msg\":\"no token can be claimed\"}\npanic"
	for complaints, want := range map[string]bool{
		forgiven:                                      true,
		forgiven + "\n" + forgiven:                    true,
		forgiven + "\ndaemon log: panic: boom":        false,
		forgiven + "\ndaemon log: WARNING: DATA RACE": false,
		forgiven + "\ndaemon exited: exit status 66":  false,
		"daemon still runs 2m0s after SIGTERM":        false,
	} {
		if got := complainsOnlyOf(errors.New(complaints+log), "no token can be claimed"); got != want {
			t.Errorf("%s: %v", complaints, got)
		}
	}
}
