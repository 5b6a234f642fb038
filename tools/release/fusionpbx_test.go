//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layOut puts FusionPBX's files where its installer does: its settings, its units in its own tree, and a PHP that runs for ever.
func (d *debian) layOut() {
	d.Helper()
	d.write("/etc/fusionpbx/config.conf", 0o644, "websocket.host = 127.0.0.1\nwebsocket.port = 8080\n")
	d.write("/usr/bin/php", 0o755, "#!/bin/sh\nexec sleep infinity\n")
	for unit, app := range fusionUnits() {
		dir := "/var/www/fusionpbx/" + app + "/resources/service/"
		more := ""
		if unit == "operator_panel" {
			more = "ExecReload=/bin/kill -SIGUSR1 $MAINPID\n"
		}
		d.write(dir+unit+".php", 0o644, "<?php\n")
		d.write(dir+"debian/"+unit+".service", 0o644, fmt.Sprintf("[Unit]\nDescription=PHP %s\n\n[Service]\nUser=www-data\nGroup=www-data\nWorkingDirectory=/var/www/fusionpbx\n"+
			"RuntimeDirectory=fusionpbx\nRuntimeDirectoryMode=0755\nRuntimeDirectoryPreserve=yes\nExecStart=/usr/bin/php %s%s.php\n%sRestart=always\nRestartSec=5\nStartLimitInterval=0\n\n"+
			"[Install]\nWantedBy=multi-user.target\n", unit, dir, unit, more))
	}
}

// fusionUnits are FusionPBX's units that strowger knows, and the parts of FusionPBX that they belong to.
func fusionUnits() map[string]string {
	return map[string]string{
		"websockets": "core/websockets", "active_calls": "app/active_calls", "active_conferences": "app/active_conferences",
		"operator_panel": "app/operator_panel", "system_status": "app/system",
	}
}

// phpUnits are those of services.
func phpUnits() []string {
	return []string{"active_calls", "active_conferences", "operator_panel", "system_status"}
}

// upgradeServices does what FusionPBX's upgrade does to its services: it copies each unit to /etc/systemd/system, and enables it.
// Where systemd runs it starts it too.
func (d *debian) upgradeServices(start bool) {
	d.Helper()
	for unit, app := range fusionUnits() {
		d.run("cp", "/var/www/fusionpbx/"+app+"/resources/service/debian/"+unit+".service", "/etc/systemd/system/"+unit+".service")
		if start {
			d.run("systemctl", "daemon-reload")
		}
		d.run("systemctl", "enable", unit)
		if start {
			d.run("systemctl", "start", unit)
		}
	}
}

// write puts a file inside.
func (d *debian) write(name string, mode os.FileMode, text string) {
	d.Helper()
	path := d.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
		d.Fatal(err)
	}
}

// dropIns returns the units that have a drop-in of ours.
func (d *debian) dropIns() []string {
	d.Helper()
	found, err := filepath.Glob(d.path("/etc/systemd/system/*.service.d/50-strowger.conf"))
	if err != nil {
		d.Fatal(err)
	}
	units := make([]string, 0, len(found))
	for _, path := range found {
		units = append(units, strings.TrimSuffix(filepath.Base(filepath.Dir(path)), ".service.d"))
	}
	return units
}

// wantDropIns wants all units to have a drop-in, or none.
func (d *debian) wantDropIns(all bool) {
	d.Helper()
	var want []string
	if all {
		want = append(phpUnits(), "websockets")
		slices.Sort(want)
	}
	if got := d.dropIns(); !slices.Equal(got, want) {
		d.Errorf("drop-ins for %v, want %v", got, want)
	}
}

// TestDebBesideFusionPBX installs the package where FusionPBX is, without a systemd that runs, as into an image. The package's own
// router is not enabled. The units start strowger, also after FusionPBX has written them anew, and PHP after the package has gone.
func TestDebBesideFusionPBX(t *testing.T) {
	d := newDebian(t)
	d.layOut()
	d.upgradeServices(false)
	before := d.snapshot()
	d.run("dpkg", "-i", "/strowger.deb")
	d.wantDropIns(true)
	if _, err := os.Lstat(d.path("/etc/systemd/system/multi-user.target.wants/strowger.service")); err == nil {
		t.Error("the unit of a router without FusionPBX is enabled")
	}
	d.verify("strowger.service", "websockets.service", "active_calls.service", "active_conferences.service", "operator_panel.service", "system_status.service")
	d.secure("websockets.service")
	d.secure("strowger.service")
	d.upgradeServices(false)
	d.serveInPlace()

	d.run("dpkg", "-i", "/strowger.deb") // an upgrade to the same version
	d.wantDropIns(true)
	d.run("strowger", "fusionpbx", "remove")
	d.wantDropIns(false)
	d.run("dpkg", "-i", "/strowger.deb")
	d.wantDropIns(false) // what the operator has taken back stays so
	d.run("dpkg", "-r", "strowger")
	d.run("dpkg", "-i", "/strowger.deb")
	d.wantDropIns(true) // but not after a new installation
	d.run("dpkg", "-r", "strowger")
	d.wantDropIns(false)
	d.run("dpkg", "-P", "strowger")
	d.compare(before)
}

// TestDebBesideBrokenFusionPBX installs the package where FusionPBX's settings cannot be read, or its services are not installed.
// FusionPBX stays as it is, and the package says what to do.
func TestDebBesideBrokenFusionPBX(t *testing.T) {
	d := newDebian(t)
	d.layOut()
	if out := d.run("dpkg", "-i", "/strowger.deb"); !strings.Contains(out, "no unit websockets") || !strings.Contains(out, "strowger fusionpbx install") {
		t.Errorf("it says\n%s", out)
	}
	d.wantDropIns(false)
	d.run("dpkg", "-P", "strowger")
	d.upgradeServices(false)
	d.write("/etc/fusionpbx/config.conf", 0o600, "websocket.host = 127.0.0.1\n")
	if err := os.Chmod(d.path("/etc/fusionpbx/config.conf"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := d.run("dpkg", "-i", "/strowger.deb"); !strings.Contains(out, "permission denied") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("it says\n%s", out)
	}
	d.wantDropIns(false)
}

// TestFusionPBXLater goes over by hand on a machine that got FusionPBX after the package.
func TestFusionPBXLater(t *testing.T) {
	d := newDebian(t)
	d.run("dpkg", "-i", "/strowger.deb")
	d.layOut()
	d.upgradeServices(false)
	d.run("dpkg", "-i", "/strowger.deb")
	d.wantDropIns(false)
	d.write("/etc/strowger/pbx.yaml", 0o644, "services: {operator_panel: php}\n")
	d.run("strowger", "fusionpbx", "install", "--config", "/etc/strowger/pbx.yaml")
	want := []string{"active_calls", "active_conferences", "system_status", "websockets"}
	if got := d.dropIns(); !slices.Equal(got, want) {
		t.Errorf("drop-ins for %v, want %v", got, want)
	}
	d.run("dpkg", "-i", "/strowger.deb")
	if got := d.dropIns(); !slices.Equal(got, want) {
		t.Errorf("after an upgrade drop-ins for %v, want %v", got, want)
	}
	d.run("strowger", "fusionpbx", "install", "--router-only")
	if got := d.dropIns(); !slices.Equal(got, []string{"websockets"}) {
		t.Errorf("drop-ins for %v, want that of the router alone", got)
	}
}
