package e2e

import (
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
// unit stays, and no service is left behind.
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

// TestDeployHalfway stops each command at each of its commands to the manager, and wants both ways to lead out of it.
func TestDeployHalfway(t *testing.T) {
	for name, test := range map[string]struct{ before, command, fails string }{
		"over stops the router":      {"", "over", "stop websockets"},
		"over stops a service":       {"", "over", "disable operator_panel"},
		"over enables the router":    {"", "over", "enable websockets"},
		"over starts the router":     {"", "over", "restart websockets"},
		"over reads the units":       {"", "over", "daemon-reload "},
		"back stops the router":      {"over", "back", "stop websockets"},
		"back reads the units":       {"over", "back", "daemon-reload "},
		"back enables the router":    {"over", "back", "enable websockets"},
		"back enables a service":     {"over", "back", "enable active_calls"},
		"back starts a service":      {"over", "back", "start active_calls"},
		"router gives services back": {"over", "over router", "enable active_conferences"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"over", "back"} {
				h := newHost(t, "etc/systemd/system")
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
func TestDeployKeepsState(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.ok(h.run("bin/systemctl", "disable", "--now", "operator_panel"))
	h.ok(h.run("bin/systemctl", "disable", "active_calls"))
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
	if out, err := h.run("fusionpbx", "over"); err == nil || !strings.Contains(out, "says: of database") {
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
