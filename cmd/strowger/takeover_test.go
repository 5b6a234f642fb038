package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSettingsOfRouter reads the settings of another router as that router has them: by its arguments and its environment, and not
// by those of the caller.
func TestSettingsOfRouter(t *testing.T) {
	dir := t.TempDir()
	fusion, file := filepath.Join(dir, "config.conf"), filepath.Join(dir, "strowger.yaml")
	writeFile(t, fusion, "websocket.host = 127.0.0.1\nwebsocket.port = 9090\n")
	writeFile(t, file, "services: {operator_panel: php}\n")
	p := &program{newSite: newSite, environ: []string{"STROWGER_SERVICES__ACTIVE_CALLS=php"}}
	cfg, err := p.settingsOf([]string{"--fusionpbx=" + fusion, "--config", file, "--admin", "127.0.0.1:9091"}, []string{"STROWGER_DASHBOARD__ENABLED=false"})
	if err != nil {
		t.Fatal(err)
	}
	if s := cfg.Services; s.OperatorPanel != "php" || s.ActiveCalls != inside || cfg.Dashboard.Enabled || cfg.Admin.Address != "127.0.0.1:9091" || cfg.Listen.Address != "127.0.0.1:9090" {
		t.Errorf("services %v, dashboard %v, admin %s, listen %s", s, cfg.Dashboard.Enabled, cfg.Admin.Address, cfg.Listen.Address)
	}
	if _, err := p.settingsOf([]string{"--no-such-flag"}, nil); err == nil || !strings.Contains(err.Error(), "arguments of the router") {
		t.Errorf("an unknown flag: %v", err)
	}
}

// TestRunProgram gives other programs no settings of the caller, and tells what they say when they fail.
func TestRunProgram(t *testing.T) {
	p := &program{environ: []string{"STROWGER_LOG__LEVEL=debug", "OTHER=1"}}
	out, err := p.runProgram(t.Context(), "/bin/sh", "-c", "echo $STROWGER_LOG__LEVEL $OTHER")
	if err != nil || out != "1\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := p.runProgram(t.Context(), "/bin/sh", "-c", "echo the reason >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "exit status 3: the reason") {
		t.Errorf("the error is %v", err)
	}
}
