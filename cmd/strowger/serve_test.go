package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"strowger/config"
	"strowger/system"
	"strowger/system/service"
)

// fakeRouter is a router that does as the test says.
type fakeRouter struct {
	cfg       *config.Config
	services  []*service.Service
	startErr  error
	reloadErr error
	reloading chan struct{} // unless nil, closed when Reload begins
	reload    func()        // unless nil, called by Reload
	reloaded  chan struct{} // unless nil, closed when Reload ends
	failed    chan error
	healthy   func() error                    // nil: it is
	stopping  chan struct{}                   // closed by Stop
	stop      func(ctx context.Context) error // nil: stops at once
}

func newFakeRouter() *fakeRouter {
	return &fakeRouter{failed: make(chan error, 1), stopping: make(chan struct{})}
}

// install makes a program use f.
func (f *fakeRouter) install(p *program) {
	p.newRouter = func(o system.Options, services ...*service.Service) (router, error) {
		f.cfg, f.services = o.Config, services
		return f, nil
	}
}

func (f *fakeRouter) Start() error         { return f.startErr }
func (f *fakeRouter) Addr() net.Addr       { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }
func (f *fakeRouter) Connections() int     { return 2 }
func (f *fakeRouter) Services() int        { return 1 }
func (f *fakeRouter) Failed() <-chan error { return f.failed }

func (f *fakeRouter) Reload(cfg *config.Config) (*system.Reloaded, error) {
	if f.reloaded != nil {
		defer close(f.reloaded)
	}
	if f.reloading != nil {
		close(f.reloading)
		f.reload()
	}
	if f.reloadErr != nil {
		return nil, f.reloadErr
	}
	done := new(system.Reloaded)
	for _, change := range config.Diff(f.cfg, cfg) {
		if change.Reloadable {
			done.Applied = append(done.Applied, change)
		} else {
			done.Restart = append(done.Restart, change)
		}
	}
	f.cfg = cfg
	return done, nil
}

// Healthy is what the test has said.
func (f *fakeRouter) Healthy() error {
	if f.healthy == nil {
		return nil
	}
	return f.healthy()
}

func (f *fakeRouter) Upgrade(context.Context, *exec.Cmd) (*system.Upgraded, error) {
	return nil, errors.New("no upgrade")
}

func (f *fakeRouter) Stop(ctx context.Context) error {
	close(f.stopping)
	if f.stop == nil {
		return nil
	}
	return f.stop(ctx)
}

func TestServeStarts(t *testing.T) {
	file, fusion := filepath.Join(t.TempDir(), "strowger.yaml"), filepath.Join(t.TempDir(), "config.conf")
	writeFile(t, file, "listen:\n  address: 127.0.0.1:1\nlog:\n  format: json\nlimits:\n  depth: 9\n")
	writeFile(t, fusion, "websocket.port = 2\ndatabase.0.name = fusionpbx\ndatabase.0.password = Pass&word\n")
	f := newFakeRouter()
	dir := t.TempDir()
	r := begin(t, func(p *program) {
		f.install(p)
		p.environ = []string{"STROWGER_LIMITS__DEPTH=10", "STROWGER_TOKENS__DIRECTORY=/nonexistent", "STROWGER_TOKEN=a:b"}
	}, "serve", "--config", file, "--fusionpbx="+fusion, "--token-dir", dir, "--listen", "127.0.0.1:0")
	r.stderr.line(t, `"msg":"starting"`, `"version":"`, `"token_dir":"`+dir+`"`)
	r.stderr.line(t, `"level":"WARN"`, "value of FusionPBX cannot be used", "config.conf:3: database.0.password: has & outside of quotes")
	r.stderr.line(t, `"msg":"listening"`, `"addr":"127.0.0.1:7"`)
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	r.stderr.line(t, `"msg":"stopping"`, `"signal":"terminated"`)
	r.stderr.line(t, `"msg":"stopped"`)
	if f.cfg.Listen.Address != "127.0.0.1:0" || f.cfg.Limits.Depth != 10 || f.cfg.Tokens.Directory != dir || f.cfg.FusionPBX.Database.Name != "fusionpbx" {
		t.Errorf("configuration is %+v", f.cfg)
	}
	if out := r.stdout.String(); out != "" {
		t.Errorf("stdout: %s", out)
	}
}

func TestServeEnds(t *testing.T) {
	late := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, test := range map[string]struct {
		fake   fakeRouter
		fail   error // what the router gives up with; nil: SIGINT comes
		status int
		log    string
	}{
		"cannot listen":    {fake: fakeRouter{startErr: errors.New("address in use")}, fail: errors.New("not reached"), status: 1, log: `"msg":"cannot start","err":"address in use"`},
		"address taken":    {fake: fakeRouter{startErr: fmt.Errorf("listen: %w", syscall.EADDRINUSE)}, fail: errors.New("not reached"), status: 1, log: `address already in use; --listen names another address`},
		"foreign address":  {fake: fakeRouter{startErr: fmt.Errorf("listen: %w", syscall.EADDRNOTAVAIL)}, fail: errors.New("not reached"), status: 1, log: `; --listen or listen.address must name an address of this machine`},
		"port of root":     {fake: fakeRouter{startErr: fmt.Errorf("listen: %w", syscall.EACCES)}, fail: errors.New("not reached"), status: 1, log: `; ports below 1024 are for root`},
		"gives up":         {fail: errors.New("too many restarts"), status: 1, log: `"msg":"gave up","err":"too many restarts"`},
		"stops":            {status: 0, log: `"msg":"stopped"`},
		"runs out of time": {fake: fakeRouter{stop: late}, status: 0, log: `"msg":"stopped before everything was done"`},
		"cannot stop":      {fake: fakeRouter{stop: func(context.Context) error { return errors.New("stuck") }}, status: 1, log: `"msg":"stop","err":"stuck"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeRouter()
			f.startErr, f.stop = test.fake.startErr, test.fake.stop
			r := begin(t, func(p *program) {
				f.install(p)
				p.environ = []string{"STROWGER_SHUTDOWN__TIMEOUT=1ms"}
			}, "serve")
			if test.fail != nil {
				f.failed <- test.fail
			} else {
				r.stderr.line(t, `"msg":"listening"`)
				r.signals.send(t, syscall.SIGINT)
			}
			r.wait(test.status)
			r.stderr.line(t, test.log)
		})
	}
}

func TestServeSecondSignalEndsAtOnce(t *testing.T) {
	f := newFakeRouter()
	release, released := make(chan struct{}), make(chan struct{})
	f.stop = func(context.Context) error { defer close(released); <-release; return nil }
	r := begin(t, f.install, "serve")
	r.stderr.line(t, `"msg":"listening"`)
	r.signals.send(t, syscall.SIGTERM)
	<-f.stopping
	r.signals.send(t, syscall.SIGTERM)
	r.wait(1)
	r.stderr.line(t, `"msg":"stopped at once"`)
	close(release)
	<-released
}

func TestServeReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, "log:\n  level: warn\n")
	f := newFakeRouter()
	r := begin(t, f.install, "serve", "--config", file, "--listen", "127.0.0.1:0")
	reload := func(sig os.Signal, content string) {
		t.Helper()
		r.signals.handled(t, sig) // so the settings of the start are read
		writeFile(t, file, content)
		r.signals.send(t, sig)
	}
	reload(syscall.SIGHUP, "log:\n  level: debug\nlimits:\n  depth: 9\nlisten:\n  address: 127.0.0.1:1\ntokens:\n  max_depth: 9\n")
	r.stderr.line(t, `"msg":"setting changed"`, `"key":"limits.depth","old":"511","new":"9"`)
	r.stderr.line(t, `"msg":"setting changed"`, `"key":"log.level"`)
	r.stderr.line(t, `"msg":"setting changed, takes effect after a restart"`, `"key":"tokens.max_depth","old":"64","new":"9"`)
	r.stderr.line(t, `"msg":"settings reloaded","changes":3`)

	reload(syscall.SIGHUP, "log:\n  level: loud\nlimits:\n  depth: 1\n")
	r.stderr.line(t, `"level":"ERROR"`, "settings are wrong, the running ones stay", "strowger.yaml:2: log.level: loud")
	r.stderr.line(t, `"level":"ERROR"`, "settings are wrong, the running ones stay", "strowger.yaml:4: limits.depth: 1")

	reload(reloadSignals()[len(reloadSignals())-1], "log:\n  level: error\nlimits:\n  depth: 11\n")
	r.stderr.line(t, `"msg":"setting changed"`, `"key":"limits.depth","old":"9","new":"11"`)
	r.stderr.line(t, `"msg":"setting changed"`, `"key":"log.level","old":"\"debug\"","new":"\"error\""`)
	// The level changes after the last line. The daemon takes the next signal when the reload is over,
	// and has room for one more.
	r.signals.send(t, syscall.SIGHUP)
	r.signals.send(t, syscall.SIGHUP)
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	if strings.Contains(r.stderr.String(), `"msg":"stopping"`) {
		t.Errorf("the level was not raised:\n%s", r.stderr)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Why a router did not reload is in the log, and nothing else.
func TestServeLogsWhyReloadFailed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, "limits: {depth: 9}\n")
	f := newFakeRouter()
	f.reloadErr = errors.New("no such certificate")
	r := begin(t, f.install, "serve", "--config", file)
	r.stderr.line(t, `"msg":"listening"`)
	writeFile(t, file, "limits: {depth: 10}\n")
	r.signals.send(t, syscall.SIGHUP)
	r.stderr.line(t, `"level":"ERROR"`, `"msg":"settings are wrong, the running ones stay"`, "no such certificate")
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	if strings.Contains(r.stderr.String(), "setting changed") || strings.Contains(r.stderr.String(), "settings reloaded") {
		t.Errorf("the log says that something was changed:\n%s", r.stderr)
	}
}

// Settings that cannot be read to the end keep no signal from being obeyed.
func TestServeStopsDuringReload(t *testing.T) {
	f := newFakeRouter()
	f.reloading = make(chan struct{})
	release := make(chan struct{})
	f.reload = func() { <-release }
	r := begin(t, f.install, "serve")
	r.stderr.line(t, `"msg":"listening"`)
	r.signals.send(t, syscall.SIGHUP)
	<-f.reloading
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	close(release)
}
