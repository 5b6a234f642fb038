package dropin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/config"
)

// bench is a machine with FusionPBX's units, and a systemd that does as it is told. tools/release has a real one.
type bench struct {
	*testing.T
	*Host
	active, enabled map[string]bool
	environ         []string     // of the router, besides what its drop-in sets
	fails           string       // the command that fails
	unreadable      bool         // www-data cannot read the settings
	unready         atomic.Int64 // how many more times the router says that it is not ready
	said            []string
}

const program = "/usr/local/bin/strowger"

// php are the units of services.
func php() []string {
	return []string{"active_calls", "active_conferences", "operator_panel", "system_status"}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, active: map[string]bool{}, enabled: map[string]bool{}}
	b.Host = &Host{Root: t.TempDir(), Run: b.run, Settings: b.settings, Patience: 2 * time.Minute,
		Say: func(format string, args ...any) { b.said = append(b.said, fmt.Sprintf(format, args...)) }}
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if b.unready.Add(-1) >= 0 {
			http.Error(w, `{"ready":false,"problems":["of tokens"]}`, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, `{"ready":true,"problems":[]}`)
	}))
	t.Cleanup(pages.Close)
	b.environ = []string{"STROWGER_ADMIN__ADDRESS=" + pages.Listener.Addr().String()}
	for _, unit := range append(php(), Unit) {
		b.file("/etc/systemd/system/"+unit+".service", "[Service]\nExecStart=/usr/bin/php "+unit+".php\n")
		b.active[unit], b.enabled[unit] = true, true
	}
	b.file("/run/systemd/system/.keep", "")
	b.file("/config.conf", "websocket.host = 127.0.0.1\n")
	return b
}

func (b *bench) file(name, text string) {
	b.Helper()
	path := b.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		b.Fatal(err)
	}
}

// run does what systemctl and runuser do.
func (b *bench) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	unit := strings.TrimSuffix(args[len(args)-1], ".service")
	switch {
	case b.fails != "" && strings.HasPrefix(line, b.fails):
		return "", errors.New("as the test wants")
	case name == "runuser" && b.unreadable:
		return "", errors.New("permission denied")
	case name == "runuser":
		return "", nil
	case args[0] == "is-active" && b.active[unit]:
		return "active\n", nil
	case args[0] == "is-enabled" && b.enabled[unit]:
		return "enabled\n", nil
	case args[0] == "is-active", args[0] == "is-enabled":
		return "no\n", errors.New("exit status 3")
	case args[0] == "show":
		return "7\n", b.process()
	case args[0] == "daemon-reload":
		return "", nil
	case args[0] == "disable":
		b.active[unit], b.enabled[unit] = false, false
	case args[0] == "stop":
		b.active[unit] = false
	default: // start, restart: where a drop-in stands in for PHP, nothing goes on
		text, _ := b.read(unit)
		b.active[unit] = !strings.Contains(text, "/bin/echo")
	}
	return "", nil
}

// process writes what /proc has of the router.
func (b *bench) process() error {
	text, err := b.read(Unit)
	r, ok := parseRouter(text)
	if err != nil || !ok {
		return errors.New("no strowger runs")
	}
	args := append([]string{"strowger-websockets", "serve"}, r.arguments()...)
	b.file("/proc/7/cmdline", strings.Join(args, "\x00")+"\x00")
	b.file("/proc/7/environ", strings.Join(append(append([]string{"PATH=/bin"}, b.environ...), r.environ()...), "\x00")+"\x00")
	return nil
}

func (b *bench) settings(args, environ []string) (*config.Config, error) {
	o := config.Options{FusionPBX: b.path("/config.conf"), Environ: environ}
	if i := slices.Index(args, "--config"); i >= 0 {
		o.File = args[i+1]
	}
	return config.Load(o)
}

func (b *bench) install(o Options) {
	b.Helper()
	o.Program = program
	if err := b.Install(b.Context(), o); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) remove() {
	b.Helper()
	if err := b.Remove(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// want wants strowger to be the router, PHP to run in units, and all others to be kept from it.
func (b *bench) want(inPHP ...string) {
	b.Helper()
	if text, _ := b.read(Unit); !strings.Contains(text, "ExecStart=@"+program+" strowger-websockets") || !b.active[Unit] {
		b.Errorf("the router is not strowger, or does not run: %v\n%s", b.active, text)
	}
	for _, unit := range php() {
		text, _ := b.read(unit)
		if runs := slices.Contains(inPHP, unit); b.active[unit] != runs || (text == "") != runs {
			b.Errorf("%s runs: %v, want %v, with the drop-in\n%s", unit, b.active[unit], runs, text)
		}
	}
}

// wantBack wants nothing of strowger to be left, and units to run.
func (b *bench) wantBack(active ...string) {
	b.Helper()
	entries, err := os.ReadDir(b.path("/etc/systemd/system"))
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			b.Errorf("%s is left", entry.Name())
		}
	}
	for _, unit := range append(php(), Unit) {
		if want := slices.Contains(active, unit); b.active[unit] != want {
			b.Errorf("%s runs: %v, want %v", unit, b.active[unit], want)
		}
	}
}
