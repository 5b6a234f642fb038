package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the time that a question has in tests; only one that fails takes that long.
const patience = 2 * time.Minute

// bench is what a test checks: a made-up root, real sockets, and a systemd that says what the test wants.
type bench struct {
	t       *testing.T
	root    string
	o       Options
	systemd string // what systemctl show prints; empty: systemd does not run
}

// newBench loads a configuration of YAML; with a conf it is FusionPBX's config.conf.
func newBench(t *testing.T, yaml, conf string) *bench {
	t.Helper()
	b := &bench{t: t, root: t.TempDir()}
	var o config.Options
	if yaml != "" {
		o.File = b.write("strowger.yaml", yaml)
	}
	if conf != "" {
		o.FusionPBX = b.write("config.conf", conf)
	}
	cfg, err := config.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	// Not that of a switch of this machine.
	at := &cfg.FusionPBX.EventSocket
	at.Host, at.Port = hostOf(t, freeAddress(t))
	m := Local()
	m.Root, m.Proc = b.root, "/proc"
	m.Run = b.run
	b.o = Options{Config: cfg, Timeout: patience, Command: "strowger check", Machine: m}
	return b
}

func (b *bench) run(_ context.Context, name string, _ ...string) (string, error) {
	if name == "runuser" {
		return "", nil
	}
	if name != "systemctl" || b.systemd == "" {
		return "", errors.New("not found")
	}
	return b.systemd, nil
}

// write puts a file below the root and returns where.
func (b *bench) write(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// withSystemd has systemd run and say something.
func (b *bench) withSystemd(show string) {
	b.t.Helper()
	b.systemd = show
	if err := os.MkdirAll(filepath.Join(b.root, "run/systemd/system"), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

// answers starts admin pages of a router that is ready, and returns where the test writes what the page at path answers.
func (b *bench) answers(path string) *string {
	b.t.Helper()
	answer := new(string)
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
			fmt.Fprint(w, `{"ready":true}`)
		case path:
			fmt.Fprint(w, *answer)
		}
	}))
	b.t.Cleanup(admin.Close)
	b.o.Config.Admin.Address = admin.Listener.Addr().String()
	return answer
}

// check runs everything. No finding may have a name that is not listed, or more than one line.
func (b *bench) check() found {
	b.t.Helper()
	all := Run(b.t.Context(), b.o)
	for _, f := range all {
		if !slices.ContainsFunc(Names(), func(d Described) bool { return d.Name == f.Name }) {
			b.t.Errorf("%s is no name that is listed", f.Name)
		}
		if strings.ContainsAny(f.String(), "\n\r") || f.What == "" {
			b.t.Errorf("no line: %q", f.String())
		}
		if (f.State == Error || f.State == Warning) && f.Mend == "" {
			b.t.Errorf("nothing mends: %s", f)
		}
	}
	return found{b.t, all}
}

// found are the findings of a check.
type found struct {
	t   *testing.T
	all []Finding
}

// want wants a finding with all the texts in it.
func (f found) want(name Name, state State, texts ...string) {
	f.t.Helper()
	for _, one := range f.all {
		lacks := func(text string) bool { return !strings.Contains(one.String(), text) }
		if one.Name == name && one.State == state && !slices.ContainsFunc(texts, lacks) {
			return
		}
	}
	f.t.Errorf("no %s %s with %q in\n%s", state, name, texts, f)
}

// without wants no finding of a name.
func (f found) without(name Name) {
	f.t.Helper()
	for _, one := range f.all {
		if one.Name == name {
			f.t.Errorf("unexpected: %s", one)
		}
	}
}

func (f found) String() string {
	var text strings.Builder
	for _, one := range f.all {
		text.WriteString(one.String() + "\n")
	}
	return text.String()
}

// freeAddress returns an address that nobody has. On Linux its host is one at which no other test listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = "127.66.77.88"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	return address
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// alone is a configuration whose ports nobody has.
func alone(t *testing.T) string {
	t.Helper()
	router, admin := freeAddress(t), freeAddress(t)
	for admin == router { // the first is free again
		admin = freeAddress(t)
	}
	return "listen: {address: '" + router + "'}\nadmin: {address: '" + admin + "'}\ntokens: {directory: '" + t.TempDir() + "'}\n"
}
