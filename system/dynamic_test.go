package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/service"
	"strowger/system/token"
)

func add(t *testing.T, s *System, svc *service.Service) {
	t.Helper()
	if err := s.Add(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, s *System, name string) {
	t.Helper()
	if err := s.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// refusedWith fails unless err is one of these and says so.
func refusedWith(t *testing.T, err, want error, text string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %v: %s", err, want, text)
	}
}

// status is that of the answer to a request.
func status(t *testing.T, c *client.Client, name, topic string) int {
	t.Helper()
	_, err := ask(t, c, name, topic, nil)
	if refused, ok := errors.AsType[*client.StatusError](err); ok {
		return refused.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	return 200
}

// dynamicConfig has a name that nobody offers answered with 404.
func dynamicConfig(t *testing.T) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "404"
	return cfg
}

// A service that was added is one as any other until it is removed, and after that its name is as one that nobody offers.
func TestAddAndRemove(t *testing.T) {
	var starts, again int
	s := start(t, dynamicConfig(t))
	c := asker(t, s)
	if got := status(t, c, "late", "starts"); got != 404 {
		t.Errorf("before: %d", got)
	}
	add(t, s, grouped("late", &starts, nil))
	wantReply(t, c, "late", "starts", nil, "1")
	if got := status(t, c, "late", "crash"); got != 500 {
		t.Errorf("a crash: %d", got)
	}
	becomes(t, c, "late", "2")
	refusedWith(t, s.Add(t.Context(), grouped("late", &starts, nil)), ErrTaken, `service "late"`)
	remove(t, s, "late")
	if got := status(t, c, "late", "starts"); got != 404 {
		t.Errorf("after: %d", got)
	}
	refusedWith(t, s.Remove(t.Context(), "late"), ErrNoService, `service "late"`)
	add(t, s, grouped("late", &again, nil))
	wantReply(t, c, "late", "starts", nil, "1")
}

// Services that were given to New can be removed too.
func TestRemoveOneOfNew(t *testing.T) {
	var starts int
	s := start(t, dynamicConfig(t), grouped("early", &starts, nil))
	c := asker(t, s)
	becomes(t, c, "early", "1")
	remove(t, s, "early")
	if got := status(t, c, "early", "starts"); got != 404 {
		t.Errorf("after: %d", got)
	}
}

// A subscriber keeps its subscription while a service comes and goes, as with a remote one.
func TestSubscribersStayWhileServicesComeAndGo(t *testing.T) {
	s := start(t, dynamicConfig(t))
	p := join(t, s, user("one.example", nil, "news"))
	c := asker(t, s)
	news := func(text string) *service.Service {
		return &service.Service{Name: "news", Policy: service.Everyone(), Setup: func(s service.Setup) error {
			s.Handle("say", func(r service.Request) error { r.Broadcast("headline", text); r.Reply(nil); return nil })
			return nil
		}}
	}
	for _, text := range []string{"one", "two"} {
		add(t, s, news(text))
		if got := status(t, c, "news", "say"); got != 200 {
			t.Fatalf("say: %d", got)
		}
		hears := func(what string) {
			t.Helper()
			eventually(t, "the subscriber hears "+what, func() bool { return strings.Contains(p.next().text, what) })
		}
		hears(`"` + text + `"`)
		remove(t, s, "news")
		hears(`"stopped"`)
	}
	members, err := s.Subscribers("news")
	if err != nil || len(members) != 1 {
		t.Errorf("subscribers %v, %v", members, err)
	}
}

// Dependencies must be there, whether they are up or not, and stay as long as they are needed.
func TestDynamicDependencies(t *testing.T) {
	var n [4]int
	s := startGroups(t, []service.Group{{Name: "g", Services: []string{"grouped"}}}, grouped("grouped", &n[0], nil))
	c := asker(t, s)
	second := grouped("second", &n[1], func(s *service.Service) { s.After = []string{"first"} })
	refusedWith(t, s.Add(t.Context(), second), ErrNoService, `it comes after "first"`)
	first := grouped("first", &n[2], func(s *service.Service) { s.Supervision.Restart = service.Transient })
	add(t, s, first)
	wantReply(t, c, "first", "finish", nil, `"done"`)
	becomes(t, c, "first", "503")
	add(t, s, second) // although the first one is down
	if got := status(t, c, "second", "starts"); got != 503 {
		t.Errorf("while the first is down: %d", got)
	}
	if err := (shown{s}).Order(context.Background(), "first", "start"); err != nil {
		t.Fatal(err)
	}
	becomes(t, c, "second", "1")
	refusedWith(t, s.Remove(t.Context(), "first"), ErrNeeded, `"second" comes after it`)
	refusedWith(t, s.Remove(t.Context(), "grouped"), ErrNeeded, `it is in the group "g"`)
	remove(t, s, "second")
	remove(t, s, "first")
	self := grouped("self", &n[3], func(s *service.Service) { s.After = []string{"self"} })
	refusedWith(t, s.Add(t.Context(), self), ErrNoService, `it comes after "self"`)
}

// Of several that add the same name one succeeds, and the others are told why.
func TestAddAtOnce(t *testing.T) {
	const rivals = 16
	s := start(t, dynamicConfig(t))
	c := asker(t, s)
	for range 20 {
		var each sync.WaitGroup
		errs := make([]error, rivals)
		for i := range rivals {
			each.Go(func() {
				errs[i] = s.Add(context.Background(), &service.Service{Name: "one", Policy: service.Everyone(), Setup: func(s service.Setup) error {
					s.Handle("who", func(r service.Request) error { r.Reply(i); return nil })
					return nil
				}})
			})
		}
		each.Wait()
		winner := slices.IndexFunc(errs, func(err error) bool { return err == nil })
		if winner < 0 {
			t.Fatal(errs)
		}
		for i, err := range errs {
			if i != winner && !errors.Is(err, ErrTaken) {
				t.Errorf("got %v", err)
			}
		}
		wantReply(t, c, "one", "who", nil, fmt.Sprint(winner))
		for i := range rivals {
			each.Go(func() { errs[i] = s.Remove(context.Background(), "one") })
		}
		each.Wait()
		succeeded := 0
		for _, err := range errs {
			if err == nil {
				succeeded++
			} else if !errors.Is(err, ErrNoService) && !errors.Is(err, errRemoved) {
				t.Errorf("got %v", err)
			}
		}
		if succeeded != 1 {
			t.Fatalf("%d have removed it: %v", succeeded, errs)
		}
	}
}

// A handler adds services and removes them, also its own, as long as it does so within Go.
func TestHandlersAddAndRemove(t *testing.T) {
	var router atomic.Pointer[System]
	var starts int
	removed := make(chan error, 1)
	s := start(t, dynamicConfig(t), &service.Service{Name: "manager", Policy: service.Everyone(), Setup: func(setup service.Setup) error {
		change := func(do func(ctx context.Context) error) func(service.Request) error {
			return func(r service.Request) error {
				r.Go(func(ctx context.Context) func() {
					err := do(ctx)
					return func() { r.Reply(fmt.Sprint(err)) }
				})
				return nil
			}
		}
		setup.Handle("add", change(func(ctx context.Context) error { return router.Load().Add(ctx, grouped("child", &starts, nil)) }))
		setup.Handle("remove", change(func(ctx context.Context) error { return router.Load().Remove(ctx, "child") }))
		setup.Handle("leave", change(func(ctx context.Context) error {
			err := router.Load().Remove(ctx, "manager")
			removed <- err
			return err
		}))
		return nil
	}})
	router.Store(s)
	c := asker(t, s)
	wantReply(t, c, "manager", "add", nil, `"\u003cnil\u003e"`)
	wantReply(t, c, "child", "starts", nil, "1")
	wantReply(t, c, "manager", "remove", nil, `"\u003cnil\u003e"`)
	if got := status(t, c, "child", "starts"); got != 404 {
		t.Errorf("the removed child: %d", got)
	}
	if got := status(t, c, "manager", "leave"); got != 503 {
		t.Errorf("the manager's last request: %d", got)
	}
	if err := <-removed; err == nil {
		t.Error("the manager has outlived itself")
	}
	eventually(t, "the manager is gone", func() bool { return s.services.get("manager") == nil })
	if got := status(t, c, "manager", "add"); got != 404 {
		t.Errorf("the removed manager: %d", got)
	}
}

// A service whose Setup does not end in time is not added.
func TestAddEndsWithItsContext(t *testing.T) {
	s := start(t, dynamicConfig(t))
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		<-entered
		cancel(errors.New("nobody waits"))
	}()
	err := s.Add(ctx, &service.Service{Name: "slow", Supervision: service.Supervision{StopTimeout: 1}, Setup: func(service.Setup) error {
		close(entered)
		<-release
		return nil
	}})
	if err == nil || !strings.Contains(err.Error(), "nobody waits") {
		t.Errorf("got %v", err)
	}
	eventually(t, "it is gone", func() bool { return s.services.get("slow") == nil })
}

// A service whose Setup fails is added, and restarted as any other.
func TestAddOneThatFailsAtFirst(t *testing.T) {
	s := start(t, dynamicConfig(t))
	tries := 0
	add(t, s, &service.Service{Name: "moody", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		s.Handle("starts", func(r service.Request) error { r.Reply(tries); return nil })
		return nil
	}})
	becomes(t, asker(t, s), "moody", "3")
}

// Nothing is added or removed before the start, while the system stops, and after that.
func TestChangesOutsideOfLife(t *testing.T) {
	var n int
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler)}, grouped("a", &n, nil))
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, s.Add(t.Context(), grouped("b", &n, nil)), errNotRunning, "")
	refusedWith(t, s.Remove(t.Context(), "a"), errNotRunning, "")
	refusedWith(t, new(System).Add(t.Context(), grouped("b", &n, nil)), errUnmade, "")
	refusedWith(t, new(System).Remove(t.Context(), "a"), errUnmade, "")
	if err := s.Add(t.Context(), nil); err == nil {
		t.Error("nil was added")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	refusedWith(t, s.Add(ended, grouped("b", &n, nil)), context.Canceled, "")
	if err := s.Add(nil, &service.Service{Name: "b/c"}); err == nil { //nolint:staticcheck // nil never ends
		t.Error("a service without Setup was added")
	}
	add(t, s, &service.Service{Name: "stopping", Setup: func(setup service.Setup) error {
		setup.OnStop(func(service.Context) {
			refusedWith(t, s.Add(context.Background(), grouped("b", &n, nil)), errStops, "")
			refusedWith(t, s.Remove(context.Background(), "a"), errStops, "")
		})
		return nil
	}})
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, s.Add(t.Context(), grouped("b", &n, nil)), errStops, "")
	refusedWith(t, s.Remove(t.Context(), "a"), errStops, "")
}

// Whatever is being added or removed when the system stops ends with it.
func TestStopWhileServicesComeAndGo(t *testing.T) {
	for range 5 {
		s, stop := startStoppable(t, dynamicConfig(t))
		var all sync.WaitGroup
		running := make(chan struct{}, 4)
		for i := range 4 {
			all.Go(func() {
				var n int
				name := fmt.Sprintf("s%d", i)
				for round := 0; ; round++ {
					err := s.Add(context.Background(), grouped(name, &n, nil))
					if err == nil {
						err = s.Remove(context.Background(), name)
					}
					if err != nil {
						return
					}
					if round == 0 {
						running <- struct{}{}
					}
				}
			})
		}
		for range 4 {
			<-running
		}
		stop()
		all.Wait()
		if err := s.services.changes.settled(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// There are as many dynamic services as the setting says, which a reload changes. Who is refused finds it in the log.
func TestDynamicServicesAreBounded(t *testing.T) {
	cfg := dynamicConfig(t)
	cfg.Services.Dynamic = 2
	var n int
	s, log := startJournal(t, cfg, grouped("static", &n, nil))
	add(t, s, grouped("a", &n, nil))
	add(t, s, grouped("b", &n, nil))
	refusedWith(t, s.Add(t.Context(), grouped("c", &n, nil)), ErrTooMany, "services.dynamic")
	if got := log.text(); !strings.Contains(got, `"service":"c","limit":2,"setting":"services.dynamic"`) {
		t.Errorf("log %s", got)
	}
	if m := s.source().Metrics(); m.Dynamic != 2 || m.NotAdded != 1 {
		t.Errorf("metrics: %d services, %d refused", m.Dynamic, m.NotAdded)
	}
	more := *cfg
	more.Services.Dynamic = 3
	if _, err := s.Reload(&more); err != nil {
		t.Fatal(err)
	}
	add(t, s, grouped("c", &n, nil))
	remove(t, s, "static") // it does not count
	refusedWith(t, s.Add(t.Context(), grouped("d", &n, nil)), ErrTooMany, "")
	remove(t, s, "a")
	add(t, s, grouped("d", &n, nil))
}

// The policies of the settings hold for services that are added, a reload changes them, and it reaches OnReload of all
// services that are there.
func TestReloadAndDynamicServices(t *testing.T) {
	cfg := dynamicConfig(t)
	cfg.Policies = map[string]policy.Policy{"late": {Requests: map[string][]string{"starts": {"may"}}}}
	s := start(t, cfg)
	c := asker(t, s)
	reloads := make(chan string, 8)
	late := func(name string) *service.Service {
		return &service.Service{Name: name, Policy: service.Everyone(), Setup: func(s service.Setup) error {
			s.Handle("starts", func(r service.Request) error { r.Reply(1); return nil })
			s.OnReload(func(service.Context) { reloads <- name })
			return nil
		}}
	}
	add(t, s, late("late"))
	if got := status(t, c, "late", "starts"); got != 403 {
		t.Errorf("by the policy of the settings: %d", got)
	}
	open := *cfg
	open.Policies = nil
	if _, err := s.Reload(&open); err != nil {
		t.Fatal(err)
	}
	if got := <-reloads; got != "late" {
		t.Errorf("reloaded %s", got)
	}
	wantReply(t, c, "late", "starts", nil, "1")
	remove(t, s, "late")
	add(t, s, late("other"))
	if _, err := s.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if got := <-reloads; got != "other" {
		t.Errorf("reloaded %s", got)
	}
	add(t, s, late("late"))
	if got := status(t, c, "late", "starts"); got != 403 {
		t.Errorf("by the policy that was reloaded: %d", got)
	}
}

// A reload goes on beside services that come and go.
func TestReloadWhileServicesComeAndGo(t *testing.T) {
	cfg := dynamicConfig(t)
	s := start(t, cfg)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			var n int
			for range 20 {
				name := fmt.Sprintf("s%d", i)
				if err := errors.Join(s.Add(context.Background(), grouped(name, &n, nil)), s.Remove(context.Background(), name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 20 {
			if _, err := s.Reload(cfg); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
}

// owned counts what there is of services.
func (s *System) owned() map[string]int {
	n := map[string]int{"goroutines": runtime.NumGoroutine()}
	for _, bucket := range s.deps.System.ProcessRegistry.LocalPIDs.LocalPIDs {
		n["actors"] += bucket.Count()
	}
	for range s.deps.Registry.All() {
		n["names"]++
	}
	tree := s.source().Tree()
	for range tree.All() {
		n["nodes"]++
	}
	n["meters"], n["services"] = len(s.deps.Counters.Services.All()), len(s.services.all())
	return n
}

// Nothing stays of services that were added, used, had crashed and were removed.
func TestNothingIsLeftOfRemovedServices(t *testing.T) {
	rounds := 1000
	if testing.Short() || raceEnabled {
		rounds = 100
	}
	cfg := dynamicConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	s := start(t, cfg)
	c := member(t, s, token.Spec{Kind: token.User, DomainName: "a.example"})
	round := func(i int) {
		t.Helper()
		var n int
		name := fmt.Sprintf("tenant-%d", i)
		add(t, s, grouped(name, &n, nil))
		wantReply(t, c, name, "starts", nil, "1")
		if got := status(t, c, name, "crash"); got != 500 {
			t.Fatalf("crash: %d", got)
		}
		remove(t, s, name)
	}
	labels := func() (all []string) {
		for name, family := range scrape(t, s) {
			for _, m := range family.GetMetric() {
				var one []string
				for _, l := range m.GetLabel() {
					one = append(one, l.GetName()+"="+l.GetValue())
				}
				if line := strings.Join(one, ","); strings.Contains(line, "tenant-") {
					all = append(all, name+" "+line)
				}
			}
		}
		return all
	}
	for i := range 10 {
		round(i)
	}
	_ = labels()
	before, panics := s.owned(), s.source().Metrics().Panics
	for i := range rounds {
		round(i)
	}
	eventually(t, "all is as before", func() bool {
		now := s.owned()
		for what, n := range before {
			spare := 0
			if what == "goroutines" {
				spare = 50 // the runtime keeps some, and connections come and go
			}
			if now[what] > n+spare {
				return false
			}
		}
		return true
	})
	if left := labels(); len(left) > 0 {
		t.Errorf("metrics have %s", left)
	}
	if got := s.source().Metrics().Panics - panics; got < int64(rounds) {
		t.Errorf("%d panics are counted, want %d", got, rounds)
	}
	if got := len(s.source().DeadLetters()); got == 0 {
		t.Error("no dead letters of the crashes")
	}
}
