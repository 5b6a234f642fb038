package runner

import (
	"runtime"
	"testing"
	"time"

	"strowger/system/service"
)

// abandoned waits until so many goroutines of earlier lives run.
func (r *rig) abandoned(want int) {
	r.t.Helper()
	for end := time.Now().Add(patience); r.instance.State().Abandoned != want; runtime.Gosched() {
		if time.Now().After(end) {
			r.t.Fatalf("%d goroutines are abandoned, want %d", r.instance.State().Abandoned, want)
		}
	}
}

// TestAbandoned: a service that hangs again and again stays down when as many of its lives as Limits.Abandoned do not end,
// and comes up when one of them has ended.
func TestAbandoned(t *testing.T) {
	entered, until, back := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s := crasher(service.Supervision{PingEvery: time.Second, PingTimeout: time.Second, Backoff: time.Nanosecond, CoolDown: time.Hour})
	s.Limits.Abandoned = 2
	setup := s.Setup
	s.Setup = func(s service.Setup) error {
		s.Handle("hang", func(service.Request) error {
			entered <- struct{}{}
			<-until
			back <- struct{}{}
			return nil
		})
		return setup(s)
	}
	r := start(t, s)
	hang := func() {
		t.Helper()
		id := r.ask("hang", "")
		await(t, entered)
		r.after(time.Second)
		r.after(time.Second)
		r.want(id + ` 500 hang null`)
	}
	hang()
	r.state("restarting", "up")
	r.abandoned(1)
	r.ping()
	hang()
	r.state("down 3600") // and not restarted: two do not end
	r.abandoned(2)
	r.want(r.ask("ping", "") + ` 503 ping {"retry_after":3600}`)
	r.after(time.Hour)
	r.state("down 3600")
	until <- struct{}{}
	await(t, back)
	r.abandoned(1)
	r.after(time.Hour)
	r.state("restarting", "up")
	r.ping()
	close(until)
	await(t, back)
	r.abandoned(0)
}
