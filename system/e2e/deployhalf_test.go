package e2e

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// remove removes a file of the machine.
func (h *host) remove(name string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.root, name)); err != nil {
		h.t.Fatal(err)
	}
}

// wantAll wants all of FusionPBX's units to run and to start at boot.
func (h *host) wantAll() {
	h.t.Helper()
	want := slices.Sorted(slices.Values(fusionUnits()))
	if boot, run := h.enabled(), h.active(); !slices.Equal(boot, want) || !slices.Equal(run, want) {
		h.t.Errorf("at boot %v start and %v run, want %v", boot, run, want)
	}
}

// TestDeployBackAfterUpgrade goes back where an upgrade of FusionPBX has written its own unit over strowger's. The new
// unit stays. Each service starts at boot and runs.
func TestDeployBackAfterUpgrade(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.ok(h.run("fusionpbx", "over"))
	text := "[Service]\nExecStart=/usr/bin/php newer.php\n[Install]\nWantedBy=multi-user.target\n"
	h.write("etc/systemd/system/websockets.service", 0o644, text)
	h.before["/etc/systemd/system/websockets.service"] = text
	h.ok(h.run("fusionpbx", "back"))
	h.wantBack()
	h.wantAll()
}

// shown returns what strowger config show prints.
func (h *host) shown() string {
	h.t.Helper()
	h.env = []string{"STROWGER_ADMIN__ADDRESS=" + h.admin}
	defer func() { h.env = nil }()
	out, err := h.run("bin/strowger", "config", "show", "--fusionpbx")
	h.ok(out, err)
	return out
}

// shows has strowger config show print a text, which is much cheaper than to run it.
func (h *host) shows(text string) {
	h.t.Helper()
	h.write("shown", 0o600, text)
	h.write("bin/strowger", 0o755, "#!/bin/sh\nexec cat '"+h.root+"/shown'\n")
}

// TestDeployHalfway stops each command at each of its commands to the manager, and wants both ways to lead out of it.
func TestDeployHalfway(t *testing.T) {
	like := newHost(t, "etc/systemd/system")
	settings := like.shown()
	for name, test := range map[string]struct{ before, command, fails string }{
		"over stops the router":      {"", "over", "stop websockets"},
		"over stops a service":       {"", "over", "disable operator_panel"},
		"over enables the router":    {"", "over", "enable websockets"},
		"over starts the router":     {"", "over", "restart websockets"},
		"over reads the units":       {"", "over", "daemon-reload "},
		"back stops the router":      {"over", "back", "stop websockets"},
		"back disables the router":   {"over", "back", "disable websockets"},
		"back reads the units":       {"over", "back", "daemon-reload "},
		"back enables the router":    {"over", "back", "enable websockets"},
		"back enables a service":     {"over", "back", "enable active_calls"},
		"back starts a service":      {"over", "back", "start active_calls"},
		"router gives services back": {"over", "over router", "enable active_conferences"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"over", "back"} {
				h := newHost(t, "etc/systemd/system")
				h.shows(strings.ReplaceAll(settings, like.admin, h.admin))
				if test.before != "" {
					h.ok(h.run("fusionpbx", test.before))
				}
				h.write("fails", 0o600, test.fails)
				if out, err := h.run("fusionpbx", strings.Fields(test.command)...); err == nil || !strings.Contains(out, "fusionpbx: ") {
					t.Errorf("%v\n%s", err, out)
				}
				h.remove("fails")
				if way == "over" {
					h.ok(h.run("fusionpbx", "over"))
					h.wantOver()
				}
				if out, err := h.run("fusionpbx", "back"); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				h.wantBack()
				h.wantAll()
			}
		})
	}
}

// TestDeployKeepsState gives back what was there: units that did not start at boot, or did not run, do not afterwards.
// One that is static or a link stays so.
func TestDeployKeepsState(t *testing.T) {
	for router, change := range map[string]func(*host){
		"as before": func(*host) {},
		"static": func(h *host) {
			h.ok(h.run("bin/systemctl", "disable", "websockets"))
			h.write("etc/systemd/system/websockets.service", 0o644, "[Service]\nExecStart=/usr/bin/php websockets.php\n")
		},
		"linked": func(h *host) { h.link("websockets") },
	} {
		t.Run(router, func(t *testing.T) {
			h := newHost(t, "etc/systemd/system")
			h.shows(h.shown())
			h.ok(h.run("bin/systemctl", "disable", "--now", "operator_panel"))
			h.write("failed-operator_panel", 0o600, "")
			h.ok(h.run("bin/systemctl", "disable", "active_calls"))
			h.ok(h.run("bin/systemctl", "disable", "system_status"))
			h.write("etc/systemd/system/system_status.service", 0o644, "[Service]\nExecStart=/usr/bin/php system_status.php\n")
			h.link("active_conferences")
			change(h)
			h.before = h.files()
			for range 2 {
				h.ok(h.run("fusionpbx", "over"))
				h.wantOver()
				h.ok(h.run("fusionpbx", "over", "router"))
			}
			h.ok(h.run("fusionpbx", "back"))
			h.wantBack()
			if got := strings.Join(h.active(), " "); got != "active_calls active_conferences system_status websockets" {
				t.Errorf("%s run", got)
			}
		})
	}
}

// link has a unit that starts at boot be a link to a file elsewhere, as after systemctl link.
func (h *host) link(name string) {
	h.t.Helper()
	h.ok(h.run("bin/systemctl", "disable", name))
	unit := filepath.Join(h.root, "etc/systemd/system", name+".service")
	h.write("opt/.keep", 0o600, "")
	if err := errors.Join(os.Rename(unit, filepath.Join(h.root, "opt", name+".service")), os.Symlink("/opt/"+name+".service", unit)); err != nil {
		h.t.Fatal(err)
	}
}

// TestDeployReadsSettings leaves the services to PHP that the settings of the unit leave to PHP, in the file of --config
// as in the environment.
func TestDeployReadsSettings(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.write("strowger.yaml", 0o600, "services: {operator_panel: php}\n")
	h.write("variables", 0o600, "STROWGER_DASHBOARD__ENABLED=false\nOTHER=1\n")
	h.write("etc/systemd/system/websockets.service.d/file.conf", 0o644, "[Service]\nExecStart=\nExecStart=@/usr/local/bin/strowger strowger-websockets serve --fusionpbx --config "+
		h.root+"/strowger.yaml\nEnvironmentFile=-"+h.root+"/variables\nEnvironmentFile=-/nonexistent\n")
	h.before = h.files()
	h.ok(h.run("fusionpbx", "over", "router"))
	h.wantOver(fusionUnits()[1:]...)
	h.ok(h.run("fusionpbx", "over"))
	h.wantOver("operator_panel", "system_status")
	// What the settings leave to PHP later is given back.
	h.write("strowger.yaml", 0o600, "services: {operator_panel: php, active_calls: php}\n")
	h.ok(h.run("fusionpbx", "over"))
	h.wantOver("active_calls", "operator_panel", "system_status")
	h.ok(h.run("fusionpbx", "back"))
	h.wantBack()
	h.wantAll()
}

// TestDeployWaitsForReady does not call a router a success that is not ready, and waits for one that becomes ready.
func TestDeployWaitsForReady(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.unready.Store(1)
	h.ok(h.run("fusionpbx", "over"))
	if h.unready.Load() >= 0 {
		t.Error("it did not ask /readyz again")
	}
	h.unready.Store(math.MaxInt64)
	h.env = []string{"PATIENCE=0"}
	if out, err := h.run("fusionpbx", "over"); err == nil || !strings.Contains(out, "of database") {
		t.Errorf("%v\n%s", err, out)
	}
	h.ok(h.run("fusionpbx", "back"))
	h.wantBack()
}

// TestDeployWithoutUnit changes nothing if strowger's unit is not beside the script.
func TestDeployWithoutUnit(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	script, err := os.ReadFile("../../deploy/fusionpbx")
	if err != nil {
		t.Fatal(err)
	}
	h.write("bin/alone", 0o755, string(script))
	if out, err := h.run("bin/alone", "over"); err == nil || !strings.Contains(out, "strowger.service is not there") {
		t.Errorf("%v\n%s", err, out)
	}
	h.wantBack()
	h.wantAll()
}
