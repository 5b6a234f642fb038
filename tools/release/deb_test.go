//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	d.verify()
	d.serve(uid, gid)
	d.run("dpkg", "-i", "/strowger.deb") // an upgrade to the same version
	d.run("dpkg", "-r", "strowger")
	if _, err := os.Stat(d.path("/etc/strowger/strowger.yaml")); err != nil {
		t.Errorf("removal takes the settings away: %v", err)
	}
	d.run("dpkg", "-P", "strowger")
	d.compare(before)
}

// TestDebBesideFusionPBX installs the package where FusionPBX is: the router of its own is not enabled there.
func TestDebBesideFusionPBX(t *testing.T) {
	d := newDebian(t)
	if err := os.MkdirAll(d.path("/etc/fusionpbx"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path("/etc/fusionpbx/config.conf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := d.run("dpkg", "-i", "/strowger.deb"); !strings.Contains(out, "is not started") {
		t.Errorf("it does not say that it does not start:\n%s", out)
	}
	if _, err := os.Lstat(d.path("/etc/systemd/system/multi-user.target.wants/strowger.service")); err == nil {
		t.Error("the unit is enabled")
	}
}

// debian is a root directory with a small Debian.
type debian struct {
	*testing.T
	root string
}

// base is a small Debian, which tests copy.
var base = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "debian")
	out, err := exec.Command("debootstrap", "--variant=minbase", "bookworm", dir).CombinedOutput()
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
	d := &debian{t, t.TempDir()}
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
	d.targets()
	for _, dir := range []string{d.root, filepath.Dir(d.root)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// targets makes the units that systemd-analyze looks for. The small Debian has no systemd.
func (d *debian) targets() {
	d.Helper()
	dir := d.path("/usr/lib/systemd/system")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.Fatal(err)
	}
	for _, name := range []string{"sysinit", "basic", "shutdown", "multi-user", "network-online"} {
		if err := os.WriteFile(filepath.Join(dir, name+".target"), []byte("[Unit]\nDescription="+name+"\n"), 0o644); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *debian) path(name string) string { return filepath.Join(d.root, name) }

// run runs a command inside and returns what it writes.
func (d *debian) run(name string, args ...string) string {
	d.Helper()
	cmd := exec.CommandContext(d.Context(), "/usr/bin/env", append([]string{name}, args...)...) // env looks for it inside
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root}
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.Fatalf("%s %s: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// user returns the numbers of the package's user.
func (d *debian) user() (uid, gid uint32) {
	d.Helper()
	fields := strings.Split(strings.TrimSpace(d.run("getent", "passwd", "strowger")), ":")
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

// verify has systemd look at the unit.
func (d *debian) verify() {
	d.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		d.Log("no systemd-analyze here: the unit was not verified")
		return
	}
	unit := "/usr/lib/systemd/system/strowger.service"
	cmd := exec.Command("systemd-analyze", "verify", "--man=no", "--root="+d.root, unit)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "strowger.service") {
		d.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
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

// snapshot returns all files with what they are. It leaves out dpkg's own records, and the copies and locks of the lists of
// users, which useradd leaves.
func (d *debian) snapshot() map[string]string {
	d.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, d.root)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(name, "/var/lib/dpkg"), strings.HasPrefix(name, "/var/log"), strings.HasPrefix(name, "/etc/") && strings.HasSuffix(name, "-"), name == "/etc/.pwd.lock":
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
