package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"strowger/system/internal/daemontest"
)

// poolSize is how many daemons run at once: scenarios mostly wait.
const poolSize = 4

// pool lends daemons to scenarios, one at a time each.
type pool struct {
	free  chan *daemontest.Daemon
	start func() (*daemontest.Daemon, error) // nil where daemons are not replaced
}

// openPool starts the daemons that scenarios run against and stops them when t ends. Where
// STROWGER_ADDR is set, the daemon there is the only one, and STROWGER_TOKEN_DIR is where it looks
// for tokens.
func openPool(t *testing.T) *pool {
	t.Helper()
	if addr := os.Getenv("STROWGER_ADDR"); addr != "" {
		return foreignPool(t, addr)
	}
	binary := buildDaemon(t)
	p := &pool{free: make(chan *daemontest.Daemon, poolSize), start: func() (*daemontest.Daemon, error) { return serve(binary, t.TempDir()) }}
	t.Cleanup(func() { p.stop(t) })
	for range poolSize {
		d, err := p.start()
		if err != nil {
			t.Fatal(err)
		}
		p.free <- d
	}
	return p
}

func foreignPool(t *testing.T, addr string) *pool {
	t.Helper()
	dir := os.Getenv("STROWGER_TOKEN_DIR")
	if dir == "" {
		t.Fatal("STROWGER_ADDR is set, STROWGER_TOKEN_DIR is not: nowhere to put tokens")
	}
	p := &pool{free: make(chan *daemontest.Daemon, 1)}
	p.free <- &daemontest.Daemon{Addr: addr, TokenDir: dir}
	return p
}

// buildDaemon compiles the daemon and returns the path of its binary.
func buildDaemon(t *testing.T) string {
	t.Helper()
	binary, err := daemontest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// serve starts binary with the configuration of the corpus, on a port the system chooses.
func serve(binary, tokenDir string, extraEnv ...string) (*daemontest.Daemon, error) {
	cmd := daemontest.Command(binary, "serve", "--config", filepath.Join(testdata, "strowger.yaml"),
		"--listen", "127.0.0.1:0", "--token-dir", tokenDir)
	cmd.Env = append(cmd.Env, extraEnv...)
	return daemontest.Start(cmd, tokenDir)
}

// lend runs use with a daemon that no one else has. One that use found unhealthy is replaced, so
// that one scenario fails and not all the later ones.
func (p *pool) lend(t *testing.T, use func(*daemontest.Daemon) (healthy bool)) {
	t.Helper()
	d := <-p.free
	defer func() { p.free <- d }()
	if use(d) || p.start == nil {
		return
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	fresh, err := p.start()
	if err != nil {
		t.Fatal(err)
	}
	d = fresh
}

// stop ends all daemons, none of which may be lent, and reports what was wrong with them.
func (p *pool) stop(t *testing.T) {
	t.Helper()
	for len(p.free) > 0 {
		d := <-p.free
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	}
}
