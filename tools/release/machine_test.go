//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a Debian that systemd runs, in namespaces of its own: it has its own processes, mounts, network and control groups.
type machine struct {
	*debian
	flags [2]string // of strowger check
}

// boot starts the machine and waits until systemd has started everything. It skips the test where that is not permitted, unless
// STROWGER_REQUIRE_BOOT is set.
func (d *debian) boot() *machine {
	d.Helper()
	group, err := controlGroup(d.T)
	if err != nil && os.Getenv("STROWGER_REQUIRE_BOOT") == "" {
		d.Skipf("no control group of its own: %v", err)
	}
	if err != nil {
		d.Fatalf("no control group of its own: %v", err)
	}
	notify := filepath.Join(d.TempDir(), "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		d.Fatal(err)
	}
	defer ready.Close()
	cmd := exec.Command("sh", "-ec", `echo $$ >"$1/cgroup.procs"; exec unshare --mount --pid --fork --uts --ipc --cgroup --net --kill-child sh -ec "$4" sh "$2" "$3"`,
		"sh", group, d.root, notify, start)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		d.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); ready.Close() }()
	d.Cleanup(func() {
		// With the first process of the machine all others end, before unshare does.
		if pid := child(cmd.Process.Pid); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		} else {
			_ = cmd.Process.Kill()
		}
		<-ended
	})
	if err := ready.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		d.Fatal(err)
	}
	message := make([]byte, 4096)
	for !strings.Contains(string(message), "READY=1") {
		n, err := ready.Read(message[:cap(message)])
		if err != nil && os.Getenv("STROWGER_REQUIRE_BOOT") == "" {
			d.Skipf("systemd does not start here: %v\n%s", err, &out)
		}
		if err != nil {
			d.Fatalf("systemd does not start: %v\n%s", err, &out)
		}
		message = message[:n]
	}
	d.within = []string{"nsenter", "--target", strconv.Itoa(child(cmd.Process.Pid)), "--mount", "--uts", "--ipc", "--net", "--pid", "--"}
	d.Cleanup(func() {
		if d.Failed() {
			d.Log(d.run("journalctl", "--no-pager", "--lines=100"))
		}
		d.within = nil
	})
	return &machine{debian: d}
}

// child returns the child of a process, 0 if it has none.
func child(pid int) int {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(children), " ")
	number, _ := strconv.Atoi(first)
	return number
}

// start makes the file systems of a machine, and systemd its first process. Its arguments are the root directory and the socket
// that systemd tells when everything has started.
const start = `
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero full random urandom tty; do
	: >"$1/dev/$device"
	mount --bind "/dev/$device" "$1/dev/$device"
done
ln -s /proc/self/fd "$1/dev/fd"
ln -s pts/ptmx "$1/dev/ptmx"
mkdir "$1/dev/pts" "$1/dev/shm" "$1/run/host" "$1/run/outside"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
: >"$1/run/host/notify"
mount --bind "$2" "$1/run/host/notify"
cd "$1"
pivot_root . run/outside
umount -l /run/outside
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test NOTIFY_SOCKET=/run/host/notify /lib/systemd/systemd </dev/null
`

// controlGroup makes a control group for a test. It is removed when all its processes have ended.
func controlGroup(t *testing.T) (string, error) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	var mount, path string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "cgroup2" {
			mount = fields[1]
		}
	}
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			path = rest
		}
	}
	if mount == "" || path == "" {
		return "", errors.New("there is no hierarchy of version 2")
	}
	dir := filepath.Join(mount, path, fmt.Sprintf("strowger-test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	t.Cleanup(func() { removeGroups(t, dir) })
	return dir, nil
}

// removeGroups removes a control group and those below it.
func removeGroups(t *testing.T, dir string) {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for len(dirs) > 0 && err == nil {
		last := len(dirs) - 1
		err = os.Remove(dirs[last])
		dirs = dirs[:last]
	}
	if err != nil {
		t.Errorf("control group: %v", err)
	}
}

// wantStates wants units to run, and all other units of FusionPBX not to.
func (m *machine) wantStates(active ...string) {
	m.Helper()
	for unit := range fusionUnits() {
		want := "inactive"
		for _, name := range active {
			if name == unit {
				want = "active"
			}
		}
		if got := m.state(unit); got != want {
			m.Errorf("%s is %s, want %s", unit, got, want)
		}
	}
}

func (m *machine) state(unit string) string {
	m.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--property=ActiveState", "--value", unit+".service"))
}

// starts returns the process of a unit, and what it runs.
func (m *machine) starts(unit string) (pid, command string) {
	m.Helper()
	pid = strings.TrimSpace(m.run("systemctl", "show", "--property=MainPID", "--value", unit+".service"))
	return pid, strings.TrimSpace(strings.ReplaceAll(m.run("cat", "/proc/"+pid+"/cmdline"), "\x00", " "))
}

// wantOurs wants strowger to be the router, and to serve everything.
func (m *machine) wantOurs() (pid string) {
	m.Helper()
	m.wantStates("websockets")
	pid, command := m.starts("websockets")
	if !strings.HasPrefix(command, "strowger-websockets serve --fusionpbx") {
		m.Errorf("websockets runs %s", command)
	}
	return pid
}

// wantPHP wants FusionPBX's own router and services to run.
func (m *machine) wantPHP() {
	m.Helper()
	m.wantStates(append(phpUnits(), "websockets")...)
	if _, command := m.starts("websockets"); !strings.Contains(command, "sleep infinity") {
		m.Errorf("websockets runs %s", command)
	}
}

// wantGreen wants strowger check to find nothing about the units, the port, the router and the tokens, and no other error than
// those that are expected.
func (m *machine) wantGreen(errors ...string) {
	m.Helper()
	var found []string
	for line := range strings.Lines(m.run("sh", "-c", "strowger check $0 $1 || true", m.flags[0], m.flags[1])) {
		state, rest, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(strings.TrimSpace(rest), ":")
		part, _, _ := strings.Cut(name, ".")
		switch {
		case state == "error":
			found = append(found, name)
		case state != "ok" && slices.Contains([]string{"unit", "listen", "admin", "router", "tokens", "limits"}, part):
			m.Errorf("strowger check: %s", line)
		}
	}
	if !slices.Equal(found, errors) {
		m.Errorf("strowger check finds the errors %v, want %v", found, errors)
	}
}

// TestUnderSystemd has a real systemd run FusionPBX's units. It installs the package, has FusionPBX write its units anew, upgrades,
// goes back and over by hand, removes and purges the package, and looks for what is left.
func TestUnderSystemd(t *testing.T) {
	d := newDebian(t)
	d.layOut()
	d.upgradeServices(false)
	m := d.boot()
	m.wantPHP()
	if out := m.run("sh", "-c", "systemctl mask active_calls 2>&1 || true"); !strings.Contains(out, "already exists") {
		t.Errorf("docs/deploy.md says that mask fails, but it says %s", out)
	}
	before := d.snapshot()

	m.run("dpkg", "-i", "/strowger.deb")
	pid := m.wantOurs()
	m.flags = [2]string{"--fusionpbx"}
	m.wantGreen("event_socket.connection")
	m.run("runuser", "-u", "www-data", "--", "strowger", "call", "active.operator.panel", "ping", "--permission", "operator_panel_view")
	m.upgradeServices(true)
	if after := m.wantOurs(); after != pid {
		t.Errorf("FusionPBX's upgrade of its services restarts the router: its process was %s and is %s", pid, after)
	}
	m.wantGreen("event_socket.connection")
	for _, unit := range phpUnits() {
		if log := m.run("journalctl", "--no-pager", "-o", "cat", "-u", unit); !strings.Contains(log, unit+" runs no PHP") {
			t.Errorf("the journal of %s has no reason:\n%s", unit, log)
		}
	}
	m.run("systemctl", "reload", "websockets")
	if after, _ := m.starts("websockets"); after != pid {
		t.Errorf("a reload restarts the router: its process was %s and is %s", pid, after)
	}
	m.run("dpkg", "-i", "/strowger.deb")
	if after := m.wantOurs(); after == pid {
		t.Error("an upgrade does not restart the router")
	}
	m.run("strowger", "fusionpbx", "remove")
	m.wantPHP()
	m.run("dpkg", "-i", "/strowger.deb")
	m.wantPHP()
	m.run("strowger", "fusionpbx", "install")
	m.wantOurs()
	m.run("dpkg", "-r", "strowger")
	m.wantPHP()
	m.run("dpkg", "-P", "strowger")
	d.compare(before)
}

// TestRouterUnderSystemd has a real systemd run the package's own unit, on a machine without FusionPBX.
func TestRouterUnderSystemd(t *testing.T) {
	d := newDebian(t)
	m := d.boot()
	before := d.snapshot()
	m.run("dpkg", "-i", "/strowger.deb")
	if state, user := m.state("strowger"), strings.TrimSpace(m.run("systemctl", "show", "--property=User", "--value", "strowger")); state != "active" || user != "strowger" {
		t.Errorf("the unit is %s as %s", state, user)
	}
	m.flags = [2]string{"--config", "/etc/strowger/strowger.yaml"}
	m.wantGreen()
	m.run("runuser", "-u", "strowger", "--", "strowger", "call", "dashboard.system.information", "cpu_status", "--permission", "system_view_cpu", "--token-dir", "/run/strowger")
	pid, _ := m.starts("strowger")
	m.run("systemctl", "reload", "strowger")
	m.run("dpkg", "-i", "/strowger.deb")
	if after, _ := m.starts("strowger"); after == pid || m.state("strowger") != "active" {
		t.Errorf("after an upgrade the unit is %s, with the process %s", m.state("strowger"), after)
	}
	m.run("sh", "-c", "printf 'admin: {audit_file: /var/log/strowger/audit.json}\\n' >> /etc/strowger/strowger.yaml")
	m.run("systemctl", "restart", "strowger")
	m.run("strowger", "service", "restart", "dashboard.system.information")
	if line := m.run("cat", "/var/log/strowger/audit.json"); !strings.Contains(line, `"action":"service.restart"`) {
		t.Errorf("the audit log has %q", line)
	}
	m.run("dpkg", "-r", "strowger")
	m.run("dpkg", "-P", "strowger")
	d.compare(before)
}
