package system

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"strowger/config"
	"strowger/config/policy"
	"strowger/system/service"
	"strowger/system/token"
)

// A program that embeds the router without saying anything gets the defaults.
func TestOptionsHaveDefaults(t *testing.T) {
	usual := slog.Default()
	defer slog.SetDefault(usual)
	var log strings.Builder
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.log.Info("a line"); !strings.Contains(log.String(), "a line") || s.cfg.Listen.Address != config.Default().Listen.Address {
		t.Errorf("log %q, address %q, want the defaults", log.String(), s.cfg.Listen.Address)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stop before start: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  *config.Config
		list []*service.Service
		want string
	}{
		"an empty configuration": {&config.Config{}, nil, "listen.address"},
		"a nil service":          {nil, []*service.Service{nil}, "service 1 of 1 is nil"},
		"an empty policy":        {nil, []*service.Service{{Name: "a", Setup: func(service.Setup) error { return nil }, Policy: new(policy.Policy)}}, "no rule at all"},
		"a service without name": {nil, []*service.Service{{}}, "name is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(Options{Config: test.cfg}, test.list...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Nothing that is asked too early or too often panics.
func TestMethodsOutsideOfLife(t *testing.T) {
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() {
		t.Helper()
		s.source().Tree()
		s.source().Ready()
		s.source().Metrics()
		s.source().DeadLetters()
		s.counters()
		s.Connections()
		s.AdminAddr()
		if _, err := s.Explain("nobody", "nothing", nil); err == nil {
			t.Error("an unknown service is explained")
		}
	}
	if s.Addr() != nil {
		t.Errorf("address %v before the start", s.Addr())
	}
	ask()
	if _, err := s.Reload(nil); err == nil {
		t.Error("nil was reloaded")
	}
	if _, err := s.Reload(&config.Config{}); err == nil {
		t.Error("an empty configuration was reloaded")
	}
	changed := testConfig(t)
	changed.Limits.Depth = 10
	if _, err := s.Reload(changed); err != nil {
		t.Errorf("reload before the start: %v", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil {
		t.Error("it started twice")
	}
	ask()
	for range 2 {
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	ask()
	if err := s.Start(); err == nil {
		t.Error("it started again")
	}
}

// What New has not made answers, and says so where it can.
func TestSystemThatNewHasNotMade(t *testing.T) {
	for name, s := range map[string]*System{"nil": nil, "zero": new(System)} {
		t.Run(name, func(t *testing.T) {
			if err := s.Start(); err == nil || !strings.Contains(err.Error(), "not made by New") {
				t.Errorf("start: %v", err)
			}
			if _, err := s.Reload(config.Default()); err == nil || !strings.Contains(err.Error(), "not made by New") {
				t.Errorf("reload: %v", err)
			}
			if len(s.source().Ready()) != 1 {
				t.Errorf("ready: %v", s.source().Ready())
			}
			s.source().Tree()
			s.source().Metrics()
			s.source().DeadLetters()
			s.counters()
			s.Failed()
			if s.Connections() != 0 || s.Addr() != nil || s.AdminAddr() != nil {
				t.Error("it listens")
			}
			if _, err := s.Explain("", "", nil); err == nil {
				t.Error("something is explained")
			}
			if _, err := s.Subscribers(""); err == nil {
				t.Error("it has subscribers")
			}
			if err := s.Stop(t.Context()); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
}

// Nil and empty arguments are errors or have a meaning that the documentation names.
func TestNilArguments(t *testing.T) {
	if _, err := ParseEvent(nil); err == nil {
		t.Error("nothing is an event")
	}
	if _, err := ExplainToken(nil, nil, "", "", nil); err == nil || !strings.Contains(err.Error(), "token is nil") {
		t.Errorf("explain no token: %v", err)
	}
	if _, err := ExplainToken(nil, new(token.Token), "", "", nil); err != nil {
		t.Errorf("explain an empty token: %v", err)
	}
	if _, err := ExplainToken(new(config.Config), new(token.Token), "", "", new(Event)); err != nil {
		t.Errorf("explain by an empty configuration: %v", err)
	}
	if _, err := ExplainToken(nil, new(token.Token), "active.calls", "", &Event{Payload: []byte("{")}); err == nil {
		t.Error("explain what is not JSON: no error")
	}
	setup := func(service.Setup) error { return nil }
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler)},
		&service.Service{Name: "a", Setup: setup})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Explain("", "a", &Event{Payload: []byte("}")}); err == nil {
		t.Error("explain what is not JSON: no error")
	}
	if err := s.Stop(nil); err != nil { //nolint:staticcheck // this is what is tested
		t.Errorf("stop: %v", err)
	}
}

// taken returns the address of a port that is in use until the test ends.
func taken(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// The default address of the admin pages gives way to whoever has it; the log says so, once.
func TestDefaultAdminAddressGivesWay(t *testing.T) {
	var log bytes.Buffer
	cfg := testConfig(t)
	cfg.Admin.Address = config.Default().Admin.Address
	// Whether or not another process has the port, from here on somebody has.
	if listener, err := net.Listen("tcp", cfg.Admin.Address); err == nil {
		defer listener.Close()
	}
	s, err := New(Options{Config: cfg, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	tree := s.source().Tree()
	for path := range tree.All() {
		if strings.Contains(path, "admin") {
			t.Errorf("the tree has %s, which keeps the router from being ready", path)
		}
	}
	if s.AdminAddr() != nil {
		t.Errorf("admin pages at %v", s.AdminAddr())
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if lines := log.String(); strings.Count(lines, "admin pages are off") != 1 || strings.Contains(lines, `"level":"ERROR"`) {
		t.Errorf("log:\n%s", lines)
	}
}

// An address that was chosen does not give way: the pages stay in the tree and are tried again.
func TestChosenAdminAddressStays(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = taken(t)
	s := start(t, cfg)
	if s.admin != cfg.Admin.Address {
		t.Errorf("admin pages are tried at %q, want %q", s.admin, cfg.Admin.Address)
	}
}
