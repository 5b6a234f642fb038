package system

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

// grouped is a service that may crash or finish as it is told, and says how often it has started.
func grouped(name string, starts *int, change func(*service.Service)) *service.Service {
	svc := &service.Service{Name: name, Policy: service.Everyone(), Setup: func(s service.Setup) error {
		*starts++
		n := *starts
		s.Handle("starts", func(r service.Request) error { r.Reply(n); return nil })
		s.Handle("crash", func(service.Request) error { panic("told to") })
		s.Handle("finish", func(r service.Request) error { r.Reply("done"); r.Finish(); return nil })
		return nil
	}}
	if change != nil {
		change(svc)
	}
	return svc
}

func asker(t *testing.T, s *System) *client.Client {
	t.Helper()
	return member(t, s, token.Spec{Kind: token.User, DomainName: "a.example"})
}

// becomes waits until a service answers with want or with an error that says so.
func becomes(t *testing.T, c *client.Client, name, want string) {
	t.Helper()
	eventually(t, name+" becomes "+want, func() bool {
		got, err := ask(t, c, name, "starts", nil)
		if status, ok := errors.AsType[*client.StatusError](err); ok {
			got = status.Error()
		}
		return strings.Contains(got, want)
	})
}

func startGroups(t *testing.T, groups []service.Group, list ...*service.Service) *System {
	t.Helper()
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler), Groups: groups}, list...)
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// When one of a group fails, those of its group start anew as its strategy says, and nobody else.
func TestGroups(t *testing.T) {
	for name, tt := range map[string]struct {
		strategy service.Strategy
		a, c     string
	}{
		"one for all":  {service.OneForAll, "2", "2"},
		"rest for one": {service.RestForOne, "1", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			var a, b, c, x int
			s := startGroups(t, []service.Group{{Name: "g", Strategy: tt.strategy, Services: []string{"a", "b", "c"}}},
				grouped("c", &c, nil), grouped("x", &x, nil), grouped("b", &b, nil), grouped("a", &a, nil))
			who := asker(t, s)
			becomes(t, who, "c", "1")
			if _, err := ask(t, who, "b", "crash", nil); err == nil {
				t.Error("no error at a crash")
			}
			becomes(t, who, "b", "2")
			becomes(t, who, "a", tt.a)
			becomes(t, who, "c", tt.c)
			becomes(t, who, "x", "1")
		})
	}
}

// A temporary service does not come back, a transient one does unless it has finished, and a permanent one does always.
func TestRestartTypes(t *testing.T) {
	starts := make([]int, 3)
	s := start(t, testConfig(t),
		grouped("permanent", &starts[0], nil),
		grouped("transient", &starts[1], func(s *service.Service) { s.Supervision.Restart = service.Transient }),
		grouped("temporary", &starts[2], func(s *service.Service) { s.Supervision.Restart = service.Temporary }))
	c := asker(t, s)
	for _, name := range []string{"permanent", "transient", "temporary"} {
		if _, err := ask(t, c, name, "crash", nil); err == nil {
			t.Errorf("%s: no error at a crash", name)
		}
	}
	becomes(t, c, "permanent", "2")
	becomes(t, c, "transient", "2")
	becomes(t, c, "temporary", "503")
	for _, name := range []string{"permanent", "transient"} {
		wantReply(t, c, name, "finish", nil, `"done"`)
	}
	becomes(t, c, "permanent", "3")
	becomes(t, c, "transient", "503")
}

// A service gets no requests while one is down on which it depends.
func TestAfter(t *testing.T) {
	var a, b int
	s := start(t, testConfig(t),
		grouped("b", &b, func(s *service.Service) { s.After = []string{"a"} }),
		grouped("a", &a, func(s *service.Service) { s.Supervision.Restart = service.Transient }))
	if first := s.services.all()[0].instance.Name(); first != "a" {
		t.Errorf("%s starts first, want a", first)
	}
	c := asker(t, s)
	becomes(t, c, "b", "1")
	wantReply(t, c, "a", "finish", nil, `"done"`)
	becomes(t, c, "b", "503")
	if err := (shown{s}).Order(context.Background(), "a", "start"); err != nil {
		t.Fatal(err)
	}
	becomes(t, c, "b", "1")
}

// New names all that is wrong with groups and dependencies.
func TestWrongGroups(t *testing.T) {
	var n int
	after := func(name string, names ...string) *service.Service {
		return grouped(name, &n, func(s *service.Service) { s.After = names })
	}
	_, err := New(Options{Config: testConfig(t), Groups: []service.Group{
		{Name: "g", Services: []string{"a", "nobody"}}, {Name: "g"}, {Name: "h", Services: []string{"a"}}, {Name: "i", Strategy: 7},
	}}, after("a", "b"), after("b", "a"), after("c", "missing"))
	for _, want := range []string{`group "g": there is no service "nobody"`, `group "g": the name is empty or given twice`,
		`group "h": the service "a" is in the group "g"`, `group "i": strategy 7 is unknown`,
		`services a, b: each is to start after another one`, `service "c": there is no service "missing" for it to come after`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
