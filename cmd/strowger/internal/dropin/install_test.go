package dropin

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/config"
)

func all() []string { return append(php(), Unit) }

func TestInstallAndRemove(t *testing.T) {
	b := newBench(t)
	b.install(Options{Router: Router{Alone: true}})
	b.want(php()...)
	b.install(Options{})
	b.want()
	b.install(Options{})
	b.want()
	b.remove()
	b.wantBack(all()...)
	b.install(Options{})
	b.install(Options{Router: Router{Alone: true}})
	b.want(php()...)
	b.remove()
	b.wantBack(all()...)
	b.remove()
	if last := b.said[len(b.said)-1]; !strings.Contains(last, "nothing to do") {
		t.Errorf("it says %s", last)
	}
}

// TestSettings leaves to PHP what the settings of the running router leave to PHP, wherever they come from.
func TestSettings(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(b.Root, "strowger.yaml")
	b.file("/strowger.yaml", "services: {operator_panel: php}\n")
	b.environ = append(b.environ, "STROWGER_DASHBOARD__ENABLED=false")
	b.install(Options{Router: Router{Config: file}})
	b.want("operator_panel", "system_status")
	b.file("/strowger.yaml", "services: {active_calls: php}\n")
	if err := b.Update(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	b.want("active_calls", "system_status")
	b.install(Options{KeepConfig: true})
	b.want("active_calls", "system_status")
	b.install(Options{})
	b.want("system_status")
	b.remove()
	b.wantBack(all()...)
}

// TestKeepsState starts no PHP service that neither ran nor starts at boot, and not the router if it did not run.
func TestKeepsState(t *testing.T) {
	b := newBench(t)
	b.active["operator_panel"], b.enabled["operator_panel"] = false, false
	b.enabled["active_calls"] = false // it runs
	b.active["active_conferences"] = false
	b.install(Options{})
	b.want()
	if err := b.Update(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	b.remove()
	b.wantBack("active_calls", "active_conferences", "system_status", Unit)
	b.install(Options{})
	b.active[Unit], b.enabled[Unit] = false, false
	if err := b.Update(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	if b.active[Unit] {
		t.Error("an update starts the router that was stopped")
	}
	b.remove()
	b.wantBack("active_calls", "active_conferences", "system_status")
}

// TestNotReady takes the router back that does not become ready, but not one that did before.
func TestNotReady(t *testing.T) {
	b := newBench(t)
	b.unready.Store(1)
	b.install(Options{})
	if b.unready.Load() >= 0 {
		t.Error("it did not ask again")
	}
	b.want()
	b.unready.Store(math.MaxInt64)
	_, admin, _ := strings.Cut(b.environ[0], "=")
	if err := b.ready(t.Context(), &config.Admin{Address: admin}); err == nil || !strings.Contains(err.Error(), "of tokens") {
		t.Errorf("the router lacks %v", err)
	}
	b.Patience = 1
	err := b.Update(t.Context(), program)
	if err == nil || !strings.Contains(err.Error(), "journalctl -u websockets") {
		t.Errorf("update: %v", err)
	}
	b.want()
	b.remove()
	err = b.Install(t.Context(), Options{Router: Router{Program: program}})
	if err == nil || !strings.Contains(err.Error(), "everything is taken back") {
		t.Errorf("install: %v", err)
	}
	b.wantBack(all()...)
}

// TestCannotStart takes a router back that systemd cannot start, and one that nobody wants to wait for.
func TestCannotStart(t *testing.T) {
	b := newBench(t)
	starts := 0
	b.Host.Run = func(ctx context.Context, name string, args ...string) (string, error) {
		if args[0] == "restart" {
			if starts++; starts == 1 {
				return "", errors.New("exit status 203")
			}
		}
		return b.run(ctx, name, args...)
	}
	if err := b.Install(t.Context(), Options{Router: Router{Program: program}}); err == nil || !strings.Contains(err.Error(), "203") {
		t.Errorf("install: %v", err)
	}
	b.wantBack(all()...)
	b.Host.Run = b.run
	b.unready.Store(math.MaxInt64)
	ctx, cancel := context.WithCancel(t.Context())
	b.Settings = func(args, environ []string) (*config.Config, error) {
		cancel()
		return b.settings(args, environ)
	}
	if err := b.Install(ctx, Options{Router: Router{Program: program}}); err == nil {
		t.Error("install did not fail")
	}
	b.wantBack(all()...)
}

// TestRefuses changes nothing where strowger could not work.
func TestRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bench)
		router Router
		want   string
	}{
		"no unit": {func(b *bench) { os.Remove(b.path("/etc/systemd/system/websockets.service")) }, Router{Program: program}, "upgrade.php --services"},
		"masked":  {mask, Router{Program: program}, "systemctl unmask websockets"},
		"our unit": {func(b *bench) {
			b.file("/etc/systemd/system/websockets.service", "[Service]\nExecStart=@/usr/local/bin/strowger strowger-websockets serve --fusionpbx\n")
		}, Router{Program: program}, "sh deploy/fusionpbx back"},
		"unreadable":    {func(b *bench) { b.unreadable = true }, Router{Program: program}, "www-data cannot run strowger with its settings: permission denied; nothing was changed"},
		"a home":        {nil, Router{Program: "/home/me/strowger"}, "install -m 0755 /home/me/strowger /usr/local/bin/strowger"},
		"go run":        {nil, Router{Program: "/tmp/go-build1/strowger"}, "does not stay there"},
		"a space":       {nil, Router{Program: "/opt/my programs/strowger"}, "cannot stand in a unit"},
		"a percentage":  {nil, Router{Program: program, Config: "/etc/%i.yaml"}, "cannot stand in a unit"},
		"config hidden": {nil, Router{Program: program, Config: "/root/strowger.yaml"}, "put the file into /etc"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if test.change != nil {
				test.change(b)
			}
			if err := b.Install(t.Context(), Options{Router: test.router}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			b.wantBack(all()...)
		})
	}
	b := newBench(t)
	if err := b.Update(t.Context(), program); err != nil || !strings.Contains(b.said[0], "nothing to do") {
		t.Errorf("update: %v, %s", err, b.said)
	}
	b.wantBack(all()...)
}

func mask(b *bench) {
	path := b.path("/etc/systemd/system/websockets.service")
	if err := errors.Join(os.Remove(path), os.Symlink(os.DevNull, path)); err != nil {
		b.Fatal(err)
	}
}

// TestHalfway has each command of systemctl fail once, and wants both ways to lead out of it.
func TestHalfway(t *testing.T) {
	for _, fails := range []string{
		"systemctl daemon-reload", "systemctl restart websockets", "systemctl stop operator_panel", "systemctl start active_calls",
	} {
		for _, first := range []string{"install", "remove"} {
			for _, way := range []string{"install", "remove"} {
				t.Run(fails+" at "+first+", then "+way, func(t *testing.T) {
					b := newBench(t)
					if first == "remove" {
						b.install(Options{})
					}
					b.fails = fails
					if first == "install" {
						_ = b.Install(t.Context(), Options{Router: Router{Program: program}})
					} else if err := b.Remove(t.Context()); err != nil && !strings.Contains(err.Error(), "systemctl restart websockets active_calls") {
						t.Errorf("it does not say how to go on: %v", err)
					}
					b.fails = ""
					if way == "install" {
						b.install(Options{})
						b.want()
					}
					b.remove()
					if first == "remove" && way == "remove" && fails == "systemctl start active_calls" {
						return // nothing says any more that it ran; it starts at boot
					}
					b.wantBack(all()...)
				})
			}
		}
	}
}

// TestKeepsOthers leaves drop-ins of others alone.
func TestKeepsOthers(t *testing.T) {
	b := newBench(t)
	b.file("/etc/systemd/system/websockets.service.d/override.conf", "[Service]\nNice=1\n")
	b.install(Options{})
	b.remove()
	if _, err := os.Stat(b.path("/etc/systemd/system/websockets.service.d/override.conf")); err != nil {
		t.Error(err)
	}
}

// TestWithoutSystemd writes the same files where systemd does not run, as in a directory that becomes an image.
func TestWithoutSystemd(t *testing.T) {
	b := newBench(t)
	if err := os.RemoveAll(b.path("/run")); err != nil {
		t.Fatal(err)
	}
	b.fails = "systemctl"
	b.install(Options{})
	for _, unit := range all() {
		if text, _ := b.read(unit); text == "" {
			t.Errorf("%s has no drop-in", unit)
		}
	}
	b.remove()
	b.wantBack(all()...)
}

// TestLook tells what was written by this version from all else.
func TestLook(t *testing.T) {
	b := newBench(t)
	calls := func() State {
		cfg, err := b.settings(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return Services(cfg)[0].Look(b.Root)
	}
	if router, service := LookRouter(b.Root), calls(); router != Absent || service != Absent {
		t.Errorf("before: %v, %v", router, service)
	}
	for _, o := range []Options{{}, {Router: Router{Config: filepath.Join(b.Root, "config.yaml")}}} {
		b.file("/config.yaml", "log: {level: warn}\n")
		b.install(o)
		if router, service := LookRouter(b.Root), calls(); router != Current || service != Current {
			t.Errorf("after: %v, %v", router, service)
		}
	}
	b.install(Options{Router: Router{Alone: true}})
	if router := LookRouter(b.Root); router != Current {
		t.Errorf("the router alone: %v", router)
	}
	b.file("/etc/systemd/system/websockets.service.d/50-strowger.conf", strings.Replace(Router{Program: program}.text(), "RestartSec=1", "RestartSec=2", 1))
	b.file("/etc/systemd/system/active_calls.service.d/50-strowger.conf", "[Service]\nExecStart=\n")
	if router, service := LookRouter(b.Root), calls(); router != Other || service != Other {
		t.Errorf("changed: %v, %v", router, service)
	}
}
