//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestDeb installs the package on a Debian of its own, runs the router as the unit does, upgrades, removes and purges it, and
// looks for what is left.
func TestDeb(t *testing.T) {
	d := newDebian(t)
	before := d.snapshot()
	d.run("dpkg", "-i", "/strowger.deb")
	uid, gid := d.user()
	if d.run("/usr/bin/strowger", "config", "check", "/etc/strowger/strowger.yaml") == "" {
		t.Error("the settings were not checked")
	}
	if link, err := os.Readlink(d.path("/etc/systemd/system/multi-user.target.wants/strowger.service")); err != nil || !strings.HasSuffix(link, "/systemd/system/strowger.service") {
		t.Errorf("the unit is not enabled: %q, %v", link, err)
	}
	d.verify("strowger.service")
	d.secure("strowger.service")
	d.serve(uid, gid)
	d.run("dpkg", "-i", "/strowger.deb") // an upgrade to the same version
	d.run("dpkg", "-r", "strowger")
	if _, err := os.Stat(d.path("/etc/strowger/strowger.yaml")); err != nil {
		t.Errorf("removal takes the settings away: %v", err)
	}
	d.run("dpkg", "-P", "strowger")
	d.compare(before)
}

// debian is a root directory with a small Debian.
type debian struct {
	*testing.T
	root   string
	within []string // runs a command inside while systemd runs there
}

// base is a small Debian with systemd, which tests copy.
var base = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "debian")
	out, err := exec.Command("debootstrap", "--variant=minbase", "--include=systemd", "bookworm", dir).CombinedOutput()
	if err != nil {
		return dir, &failure{err, out}
	}
	return dir, nil
})

// newDebian makes one, and lays the package into it. It skips the test where none can be made, unless
// STROWGER_REQUIRE_DEBIAN is set.
func newDebian(t *testing.T) *debian {
	t.Helper()
	asRoot(t)
	deb := one(t, ".deb")
	d := &debian{T: t, root: t.TempDir()}
	base, err := base()
	if err != nil && os.Getenv("STROWGER_REQUIRE_DEBIAN") == "" {
		t.Skipf("debootstrap: %v", err)
	}
	if err != nil {
		t.Fatalf("debootstrap: %v", err)
	}
	if out, err := exec.Command("cp", "-a", base+"/.", d.root).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	if out, err := exec.Command("cp", deb, d.path("/strowger.deb")).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	d.write("/etc/machine-id", 0o444, "6b7a1e0c5d1f4f0e9a3c2b1d00000001\n")
	for _, dir := range []string{d.root, filepath.Dir(d.root)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *debian) path(name string) string { return filepath.Join(d.root, name) }

// run runs a command inside and returns what it writes.
func (d *debian) run(name string, args ...string) string {
	d.Helper()
	words := append(slices.Clone(d.within), "/usr/bin/env", name) // env looks for it inside
	cmd := exec.Command(words[0], append(words[1:], args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	if d.within == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// user returns the numbers of the package's user.
func (d *debian) user() (uid, gid uint32) {
	d.Helper()
	return d.numbers("strowger")
}

// numbers returns those of a user that nobody can log in as.
func (d *debian) numbers(name string) (uid, gid uint32) {
	d.Helper()
	fields := strings.Split(strings.TrimSpace(d.run("getent", "passwd", name)), ":")
	if len(fields) != 7 || fields[6] != "/usr/sbin/nologin" {
		d.Fatalf("the user is %q", fields)
	}
	numbers := make([]uint32, 2)
	for i, text := range fields[2:4] {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n == 0 {
			d.Fatalf("the user is %q", fields)
		}
		numbers[i] = uint32(n)
	}
	return numbers[0], numbers[1]
}

// verify has systemd look at units. It must have nothing to say.
func (d *debian) verify(units ...string) {
	d.Helper()
	if out := d.run("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...); strings.TrimSpace(out) != "" {
		d.Errorf("systemd-analyze verify: %s", out)
	}
}

// secure has systemd judge what a unit shuts off. Its scale goes from 0 to 100, and fewer is better.
func (d *debian) secure(unit string) {
	d.Helper()
	d.run("systemd-analyze", "security", "--offline=true", "--threshold=25", unit)
}

// serve runs the router with the settings and the user of the package.
func (d *debian) serve(uid, gid uint32) {
	d.Helper()
	run := d.path("/run/strowger") // the unit makes it
	if err := os.MkdirAll(run, 0o770); err != nil {
		d.Fatal(err)
	}
	if err := os.Chown(run, int(uid), int(gid)); err != nil {
		d.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/strowger", "serve", "--config", "/etc/strowger/strowger.yaml", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root, Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	if log := serve(d.T, cmd); !strings.Contains(log, `"token_dir":"/run/strowger"`) || strings.Contains(log, `"level":"ERROR"`) {
		d.Errorf("the log is not as it should be:\n%s", log)
	}
}

// snapshot returns all files with what they are. It leaves out the records of dpkg and systemd, and the copies and locks of the lists of
// users, which useradd leaves.
func (d *debian) snapshot() map[string]string {
	d.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, d.root)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(name, "/var/lib/dpkg"), strings.HasPrefix(name, "/run/systemd"), strings.HasPrefix(name, "/var/log"), strings.HasPrefix(name, "/etc/") && strings.HasSuffix(name, "-"), name == "/etc/.pwd.lock":
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			all[name] += fmt.Sprint(" ", info.Size())
		}
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	return all
}

// compare wants everything to be as it was.
func (d *debian) compare(before map[string]string) {
	d.Helper()
	after := d.snapshot()
	for name, is := range after {
		if was, ok := before[name]; !ok {
			d.Errorf("%s is left", name)
		} else if was != is {
			d.Errorf("%s is %s, was %s", name, is, was)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			d.Errorf("%s is gone", name)
		}
	}
}

// serveInPlace runs the router and the stand-in of a service as the units of FusionPBX start them.
func (d *debian) serveInPlace() {
	d.Helper()
	unit := d.effective("websockets.service")
	words := strings.Fields(unit["ExecStart"])
	if len(words) < 3 || words[0] != "@/usr/bin/strowger" || words[1] != "strowger-websockets" || unit["User"] != "www-data" {
		d.Fatalf("the unit starts %q as %s", words, unit["User"])
	}
	uid, gid := d.numbers(unit["User"])
	for dir, mode := range map[string]os.FileMode{"/dev/shm": 0o777 | os.ModeSticky, "/run/fusionpbx": 0o755} {
		if err := errors.Join(os.MkdirAll(d.path(dir), 0o755), os.Chmod(d.path(dir), mode)); err != nil {
			d.Fatal(err)
		}
	}
	cmd := exec.Command(words[0][1:], append(words[2:], "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	cmd.Args[0], cmd.Dir, cmd.Env = words[1], unit["WorkingDirectory"], []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root, Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	if log := serve(d.T, cmd); !strings.Contains(log, `"token_dir":"/dev/shm"`) || !strings.Contains(log, "no connection to the switch") {
		d.Errorf("the log is not as it should be:\n%s", log)
	}
	d.run("sh", "-c", "rm -rf /run/fusionpbx /dev/shm/*; chmod 755 /dev/shm")
	for _, name := range phpUnits() {
		unit := d.effective(name + ".service")
		if unit["Type"] != "oneshot" || unit["Restart"] != "no" {
			d.Errorf("%s is of type %s and restarts: %s", name, unit["Type"], unit["Restart"])
		}
		if out := d.run("sh", "-c", unit["ExecStart"]); !strings.Contains(out, name+" runs no PHP") {
			d.Errorf("%s starts %s, which says %s", name, unit["ExecStart"], out)
		}
	}
}

// effective returns the settings of a unit with its drop-ins, the last value of each.
func (d *debian) effective(unit string) map[string]string {
	d.Helper()
	set := map[string]string{}
	for line := range strings.Lines(d.run("sh", "-c", "cat /etc/systemd/system/"+unit+" /etc/systemd/system/"+unit+".d/*.conf")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			set[key] = value
		}
	}
	return set
}
