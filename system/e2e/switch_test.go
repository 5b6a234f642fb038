package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strowger/config"
	"strowger/system/fusionpbx/database/databasetest"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/internal/daemontest"
)

// stage is a simulated switch that plays a recording and stops at the events that a test names, so that the test can
// look at what a page made of those before.
type stage struct {
	t      *testing.T
	sim    *switchsim.Simulator
	goOn   chan struct{}
	played chan error // gets the result of Play
}

// startStage loads a recording and plays it until the first event that the first of the stops is true for; goes then
// takes it to the next one. It begins when a client of the switch listens.
func startStage(t *testing.T, recording string, stops ...func(switchsim.Event) bool) *stage {
	t.Helper()
	loaded, err := switchsim.Load(os.DirFS(filepath.Join("..", "..", "testdata", "fusionpbx", "corpus")), recording)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, goOn: make(chan struct{}), played: make(chan error, 1)}
	before := func(ctx context.Context, event switchsim.Event) error {
		if len(stops) == 0 || !stops[0](event) {
			return nil
		}
		stops = stops[1:]
		select {
		case <-s.goOn:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.sim, err = switchsim.Start(loaded, switchsim.Options{Password: "Secret", Before: before}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { s.played <- s.sim.Play(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-s.played; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.sim.Close()
	})
	return s
}

// goes lets the recording go on after a stop.
func (s *stage) goes() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), deadline)
	defer cancel()
	select {
	case s.goOn <- struct{}{}:
	case <-ctx.Done():
		s.t.Fatal("the recording does not come to its next stop")
	}
}

// gets waits until the switch has got a command.
func (s *stage) gets(command string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), deadline)
	defer cancel()
	err := s.sim.Await(ctx, func(got []switchsim.Command) bool {
		return slices.ContainsFunc(got, func(c switchsim.Command) bool { return c.Text == command })
	})
	if err != nil {
		s.t.Fatalf("the switch never gets %q: %v", command, s.sim.Commands())
	}
}

// header returns a stop at the first event whose header has a value.
func header(name, value string) func(switchsim.Event) bool {
	return func(e switchsim.Event) bool { return strings.EqualFold(e.Header(name), value) }
}

// startInside runs a daemon in which FusionPBX's services live, with the switch, and with FusionPBX's database unless
// that is nil. args are further arguments of serve.
func (s *stage) startInside(site *config.Database, args ...string) *daemon {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(s.sim.Addr())
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf("switch.event_socket.host = %s\nswitch.event_socket.port = %s\nswitch.event_socket.password = Secret\n", host, port)
	if site != nil {
		text += fmt.Sprintf("database.0.type = pgsql\ndatabase.0.host = %q\ndatabase.0.port = %d\ndatabase.0.name = %s\ndatabase.0.username = %s\ndatabase.0.password = %q\n",
			site.Host, site.Port, site.Name, site.Username, databasetest.Password)
	}
	file := filepath.Join(s.t.TempDir(), "config.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	tokens := s.t.TempDir()
	args = append([]string{"serve", "--fusionpbx=" + file, "--listen", "127.0.0.1:0", "--admin=", "--token-dir", tokens}, args...)
	started, err := daemontest.Start(daemontest.Command(path, args...), tokens)
	if err != nil {
		s.t.Fatal(err)
	}
	d := &daemon{started}
	s.t.Cleanup(func() { d.stop(s.t) })
	return d
}
