package system

import (
	"context"
	"errors"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/service"
)

// A removed service answers what it can still answer. Requests that come meanwhile get 503.
func TestRequestsOfARemovedService(t *testing.T) {
	s := start(t, dynamicConfig(t))
	s.services.patience = patience // the order of the events decides, and not the time
	release, entered := make(chan struct{}), make(chan struct{})
	add(t, s, &service.Service{Name: "slow", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("late", func(r service.Request) error {
			r.Go(func(context.Context) func() {
				close(entered)
				<-release
				return func() { r.Reply("late") }
			})
			return nil
		})
		return nil
	}})
	c := asker(t, s)
	answer, removed := make(chan int, 1), make(chan error, 1)
	go func() { answer <- status(t, c, "slow", "late") }()
	await(t, "the request is taken", entered)
	go func() { removed <- s.Remove(context.Background(), "slow") }()
	eventually(t, "no more requests are taken", func() bool {
		return status(t, c, "slow", "unknown") == 503 // a service that runs answers 404 itself
	})
	close(release)
	if got := <-answer; got != 200 {
		t.Errorf("the request before is answered with %d", got)
	}
	if err := <-removed; err != nil {
		t.Error(err)
	}
}

// What a removed service does not answer in time gets 503 when it stops.
func TestOpenRequestsOfARemovedService(t *testing.T) {
	s := start(t, dynamicConfig(t))
	entered := make(chan struct{})
	add(t, s, &service.Service{Name: "slow", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("never", func(service.Request) error { close(entered); return nil })
		return nil
	}})
	c, answer := asker(t, s), make(chan int, 1)
	go func() { answer <- status(t, c, "slow", "never") }()
	await(t, "the request is taken", entered)
	remove(t, s, "slow")
	if got := <-answer; got != 503 {
		t.Errorf("answered with %d", got)
	}
}

// A service that is being removed when the supervisor begins anew is removed all the same, and its name is free.
func TestRemoveWhileTheSupervisorBeginsAnew(t *testing.T) {
	var static, again int
	s := start(t, dynamicConfig(t), grouped("static", &static, nil))
	c := asker(t, s)
	stops, release := make(chan struct{}), make(chan struct{})
	add(t, s, &service.Service{Name: "a", Setup: func(s service.Setup) error {
		s.OnStop(func(service.Context) { close(stops); <-release })
		return nil
	}})
	removed := make(chan error, 1)
	go func() { removed <- s.Remove(context.Background(), "a") }()
	await(t, "it stops", stops)
	pid := s.insight.services.Load()
	supervisor, _ := s.deps.System.ProcessRegistry.Get(pid)
	supervisor.SendSystemMessage(pid, &actor.Restart{})
	eventually(t, "the supervisor stops all", func() bool { return s.services.get("static").instance.State().Condition != service.Up })
	close(release)
	if err := <-removed; err != nil {
		t.Error(err)
	}
	becomes(t, c, "static", "2")
	eventually(t, "the tree has it no more", func() bool {
		tree := s.source().Tree()
		for path := range tree.All() {
			if path == place(servicesPlace, "a") {
				return false
			}
		}
		return true
	})
	add(t, s, grouped("a", &again, nil))
	if got := status(t, c, "a", "starts"); got != 200 {
		t.Errorf("the next one of the name: %d", got)
	}
}

// A gate that was shut by Stop stays shut.
func TestGateStaysShut(t *testing.T) {
	var g gate
	g.reopen(nil)
	if err := g.enter(); err != nil {
		t.Fatal(err)
	}
	g.leave()
	g.shut(errStops)
	g.shut(errUpgrades) // of an upgrade that had begun to begin
	g.reopen(errUpgrades)
	if err := g.enter(); !errors.Is(err, errStops) {
		t.Errorf("got %v", err)
	}
}
