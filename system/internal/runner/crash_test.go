package runner

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/service"
)

// scene is a service that can be made to crash everywhere, once.
type scene struct {
	service.Service
	crashing string      // where
	boom     func()      // how
	over     atomic.Bool // it did
	setups   atomic.Int64
	stops    atomic.Int64
	entered  chan struct{}
	until    chan struct{} // closed: work under way may go on
}

func (c *scene) at(place string) {
	if c.crashing == place && !c.over.Swap(true) {
		c.boom()
	}
}

func newScene(crashing string, boom func()) *scene {
	c := &scene{crashing: crashing, boom: boom, entered: make(chan struct{}, 8), until: make(chan struct{})}
	c.Setup = func(s service.Setup) error {
		c.setups.Add(1)
		s.OnStop(func(service.Context) { c.stops.Add(1) })
		s.OnStop(func(service.Context) { c.at("stop") })
		c.at("setup")
		s.Handle("ping", pong)
		s.Handle("request", func(service.Request) error { c.at("request"); return nil })
		s.Handle("wait", func(r service.Request) error {
			r.Go(func(context.Context) func() { c.entered <- struct{}{}; <-c.until; return func() { r.Reply("late") } })
			return nil
		})
		s.Handle("work", func(r service.Request) error {
			r.Go(func(context.Context) func() { c.at("work"); return nil })
			return nil
		})
		s.Handle("then", func(r service.Request) error {
			r.Go(func(context.Context) func() { return func() { c.at("then") } })
			return nil
		})
		s.After(time.Second, func(service.Context) { c.at("after") })
		s.Every(2*time.Second, func(service.Context) { c.at("every") })
		s.Source("crasher", func(ctx context.Context, emit service.Emit) error {
			c.at("source")
			if err := emit("event"); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}, func(service.Context, any) { c.at("event") })
		s.OnReload(func(service.Context) { c.at("reload") })
		return nil
	}
	return c
}

// TestCrashes crashes a service in each of its hooks, once and by each means, while a request waits
// for work: whoever waits hears at once, and the service is back with fresh state.
func TestCrashes(t *testing.T) {
	boom := func() { panic("boom") }
	tests := map[string]struct {
		place string
		do    func(r *rig)
		task  string
		id    bool // the request of do gets 500
	}{
		"setup":         {"setup", func(*rig) {}, "setup", false},
		"request":       {"request", func(r *rig) { r.ask("request", `{"a":1}`) }, "request", true},
		"work":          {"work", func(r *rig) { r.ask("work", `{"a":1}`) }, "work", true},
		"what followed": {"then", func(r *rig) { r.ask("then", `{"a":1}`) }, "work", true},
		"after":         {"after", func(r *rig) { r.clock.Advance(time.Second) }, "timer", false},
		"every":         {"every", func(r *rig) { r.clock.Advance(2 * time.Second) }, "timer", false},
		"source":        {"source", func(*rig) {}, "source crasher", false},
		"event":         {"event", func(*rig) {}, "event", false},
		"reload":        {"reload", func(r *rig) { r.instance.Reload() }, "reload", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newScene(test.place, boom)
			r := newRig(t, &c.Service)
			r.run()
			if test.place != "setup" {
				r.state("up")
			}
			if test.place != "setup" && test.place != "source" && test.place != "event" {
				r.ask("wait", "")
				await(t, c.entered)
			}
			asked := r.asks
			test.do(r)
			dead := await(t, r.dead)
			if dead.Task != test.task || dead.Reason != "boom" || len(dead.Stack) == 0 || !dead.At.Equal(r.clock.Now()) {
				t.Errorf("dead letter %+v, want task %s", dead, test.task)
			}
			for id := range asked { // those that waited for work
				r.want(quoted(id+1) + " 500 wait null")
			}
			if test.id {
				if dead.Topic == "" || string(dead.Payload) != `{"a":1}` {
					t.Errorf("dead letter of topic %q with payload %s", dead.Topic, dead.Payload)
				}
				r.want(quoted(r.asks) + " 500 " + dead.Topic + " null")
			}
			r.state("restarting", "up")
			r.ping()
			if setups, stops := c.setups.Load(), c.stops.Load(); setups != 2 || stops != 1 {
				t.Errorf("%d setups and %d stops, want 2 and 1", setups, stops)
			}
			close(c.until)
			r.stop()
			r.quiet()
			// The source's event may come too late as well.
			if got := r.instance.Counters().Dropped.Load(); got < uint64(asked) || got > uint64(asked+1) {
				t.Errorf("%d results and events dropped, want %d results", got, asked)
			}
			if got := c.stops.Load(); got != 2 {
				t.Errorf("%d stops in the end, want 2", got)
			}
			if s := r.instance.State(); s.Restarts != 1 || s.Open != 0 || s.Queued != 0 || s.Condition != service.Stopped {
				t.Errorf("state %+v", s)
			}
		})
	}
}
