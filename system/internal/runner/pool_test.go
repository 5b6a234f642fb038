package runner

import (
	"context"
	"runtime"
	"testing"
	"time"

	"strowger/system/service"
)

// worker is a service that gives work to its pool which ends when the test says so, whatever its context says.
func worker(s *service.Service) (svc *service.Service, entered, until chan struct{}, contexts chan service.Context) {
	entered, until, contexts = make(chan struct{}), make(chan struct{}), make(chan service.Context, 16)
	crashes := crasher(s.Supervision)
	s.Setup = func(setup service.Setup) error {
		contexts <- setup
		setup.Handle("work", func(r service.Request) error {
			r.Go(func(context.Context) func() {
				entered <- struct{}{}
				<-until
				return func() { r.Reply("done") }
			})
			return nil
		})
		setup.Handle("quick", func(r service.Request) error {
			r.Go(func(context.Context) func() { return func() { r.Reply("done") } })
			return nil
		})
		return crashes.Setup(setup)
	}
	return s, entered, until, contexts
}

// TestPoolPerLife: work that takes no notice that its life has ended holds no place of the next one, and is counted as
// long as it runs.
func TestPoolPerLife(t *testing.T) {
	s, entered, until, _ := worker(&service.Service{Limits: service.Limits{Pool: 2}})
	r := start(t, s)
	first, second := r.ask("work", ""), r.ask("work", "")
	await(t, entered)
	await(t, entered)
	third := r.ask("quick", "") // finds no place
	crash := r.ask("crash", "")
	got := map[string]bool{r.next(): true, r.next(): true, r.next(): true, r.next(): true}
	for _, want := range []string{first + ` 500 work null`, second + ` 500 work null`, third + ` 500 quick null`, crash + ` 500 crash null`} {
		if !got[want] {
			t.Errorf("got %v, want %s among them", got, want)
		}
	}
	r.state("restarting", "up")
	r.abandoned(2)
	r.want(r.ask("quick", "") + ` 200 quick "done"`)
	if load := r.instance.Load(); load.Size != 2 || load.Waiting != 0 {
		t.Errorf("load %+v", load)
	}
	close(until)
	r.abandoned(0)
	r.quiet() // what it comes to is dropped
}

// TestWorkTimeout: work that does not end is a crash of the service, and keeps it down when too much of it piles up.
func TestWorkTimeout(t *testing.T) {
	s, entered, until, _ := worker(&service.Service{RequestTimeout: 24 * time.Hour, Limits: service.Limits{Abandoned: 1},
		Supervision: service.Supervision{WorkTimeout: time.Minute, PingEvery: -1, CoolDown: time.Hour}})
	r := start(t, s)
	r.want(r.ask("quick", "") + ` 200 quick "done"`)
	r.clock.Advance(30 * time.Second)
	id := r.ask("work", "")
	await(t, entered)
	r.after(30 * time.Second) // the alarm of the first
	r.clock.AwaitTimer(t, 30*time.Second)
	if load := r.instance.Load(); load.Oldest != 30*time.Second || load.Running != 1 {
		t.Errorf("load %+v, want that the work has run for 30s", load)
	}
	r.clock.Advance(30*time.Second - 1)
	r.ping()
	r.after(1)
	r.want(id + ` 500 work null`)
	r.state("down 3600") // and not restarted, because one life does not end
	if d := await(t, r.dead); d.Task != "work" {
		t.Errorf("dead letter %+v", d)
	}
	close(until)
	r.abandoned(0)
	for end := time.Now().Add(patience); !r.instance.run.Load().over.Load(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the actor does not stop")
		}
	}
	r.after(time.Hour)
	r.state("restarting", "up")
	r.want(r.ask("quick", "") + ` 200 quick "done"`)
}

// TestResultsAreBounded: results of work count, too, as long as the service has not looked at them.
func TestResultsAreBounded(t *testing.T) {
	s, entered, until, contexts := worker(&service.Service{Limits: service.Limits{Pool: 1, Work: 2}, Supervision: service.Supervision{PingEvery: -1}})
	setup := s.Setup
	s.Setup = func(s service.Setup) error {
		s.Handle("block", func(r service.Request) error { entered <- struct{}{}; <-until; r.Reply("done"); return nil })
		return setup(s)
	}
	r := start(t, s)
	block := r.ask("block", "")
	await(t, entered)
	c, results := await(t, contexts), make(chan int, 3)
	for n := range 2 {
		if !c.Go(func(context.Context) func() { return func() { results <- n } }) {
			t.Fatalf("call %d of Go is refused", n)
		}
		for end := time.Now().Add(patience); r.instance.life.pool.unread.Load() != int64(n+1); {
			if time.Now().After(end) {
				t.Fatal("the work does not end")
			}
		}
	}
	if c.Go(func(context.Context) func() { return func() { results <- 2 } }) {
		t.Error("Go takes work although as many results as allowed wait")
	}
	close(until)
	r.want(block + ` 200 block "done"`)
	await(t, results)
	await(t, results)
	for end := time.Now().Add(patience); !c.Go(func(context.Context) func() { return func() { results <- 2 } }); {
		if time.Now().After(end) {
			t.Fatal("Go takes nothing any more")
		}
	}
	if got := await(t, results); got != 2 {
		t.Errorf("got %d", got)
	}
}
