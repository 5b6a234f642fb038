package system

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/config"
	"strowger/system/service"
)

// running runs a system and returns when it accepts connections.
func running(t *testing.T, cfg *config.Config, list ...*service.Service) (s *System, stop context.CancelFunc, done chan error) {
	t.Helper()
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, list...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done = make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Started():
	case err := <-done:
		t.Fatalf("run: %v", err)
	}
	return s, stop, done
}

// Run starts, serves until its context ends, and drains.
func TestRun(t *testing.T) {
	said := make(chan struct{})
	s, stop, done := running(t, testConfig(t), &service.Service{Name: "echo", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.OnStop(func(service.Context) { close(said) })
		return nil
	}})
	eventually(t, "it is ready", func() bool { return s.Ready() == nil })
	c := join(t, s, user("one.example", nil, "echo"))
	c.sendf(`{"service":"echo","topic":"say","request_id":"1","payload":7}`)
	c.gets(`200 echo/say #"1" 7`)
	stop()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	<-said // the service was told to stop
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("it still listens")
	}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "was started or stopped before") {
		t.Errorf("a second run: %v", err)
	}
}

// TestStopDoesNotWaitForHungServices: services that would have hours to stop are abandoned when the time for all is
// over, and connections that came with them are gone.
func TestStopDoesNotWaitForHungServices(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var hung sync.WaitGroup
	var list []*service.Service
	for _, name := range []string{"one", "two", "three"} {
		list = append(list, &service.Service{Name: name, Policy: service.Everyone(), Supervision: service.Supervision{StopTimeout: 3 * time.Hour, PingEvery: -1},
			Setup: func(s service.Setup) error {
				s.Handle("hang", func(service.Request) error { hung.Done(); <-release; return nil })
				return nil
			}})
	}
	hung.Add(len(list))
	s, _ := startStoppable(t, testConfig(t), list...)
	c := join(t, s, user("one.example", nil, "one", "two", "three"))
	for _, svc := range list {
		c.sendf(`{"service":%q,"topic":"hang","request_id":"1"}`, svc.Name)
	}
	hung.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v; want it to tell that the time was over", err)
	}
	<-c.closed
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// What does not end is given up when the time for stopping is up, as the latest settings say, and Run tells.
func TestRunGivesUp(t *testing.T) {
	cfg := testConfig(t)
	cfg.Shutdown.Timeout = 10 * time.Minute
	release := make(chan struct{})
	defer close(release)
	s, stop, done := running(t, cfg, &service.Service{Name: "endless", Supervision: service.Supervision{StopTimeout: 2 * time.Second},
		Setup: func(s service.Setup) error { s.OnStop(func(service.Context) { <-release }); return nil }})
	shorter := *cfg
	shorter.Shutdown.Timeout = time.Millisecond
	if changes, err := s.Reload(&shorter); err != nil || len(changes.Restart) != 1 {
		t.Fatalf("reload: %v, %v", changes, err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("run: %v", err)
	}
}

func TestRunFails(t *testing.T) {
	t.Run("to listen", func(t *testing.T) {
		cfg := testConfig(t)
		cfg.Listen.Address = taken(t)
		s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
			t.Errorf("run: %v", err)
		}
		select {
		case <-s.Started():
			t.Error("it says that it has started")
		default:
		}
		if s.Addr() != nil || s.Ready() == nil {
			t.Errorf("address %v, ready: %v", s.Addr(), s.Ready())
		}
	})
	t.Run("later", func(t *testing.T) {
		s, stop, done := running(t, testConfig(t))
		defer stop()
		cause := errors.New("too many failures")
		s.failed <- cause
		if err := <-done; !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "gave up: ") {
			t.Errorf("run: %v", err)
		}
	})
	t.Run("unmade", func(t *testing.T) {
		if err := new(System).Run(t.Context()); err == nil || new(System).Started() != nil {
			t.Errorf("run: %v", err)
		}
	})
}

// Reload tells what has changed, that nothing has, and that it has failed.
func TestReloadTells(t *testing.T) {
	s, stop, done := running(t, testConfig(t))
	defer func() { stop(); <-done }()
	same := *s.running.Load()
	if changes, err := s.Reload(&same); err != nil || len(changes.Changes()) != 0 {
		t.Errorf("nothing has changed: %v, %v", changes, err)
	}
	changed := same
	changed.Limits.Depth = 10
	if changes, err := s.Reload(&changed); err != nil || len(changes.Changes()) != 1 || changes.Applied[0].Key != "limits.depth" {
		t.Errorf("one key has changed: %v, %v", changes, err)
	}
	wrong := changed
	wrong.Limits.Depth = -1
	if changes, err := s.Reload(&wrong); err == nil || changes != nil || s.running.Load().Limits.Depth != 10 {
		t.Errorf("a key is wrong: %v, %v", changes, err)
	}
}
