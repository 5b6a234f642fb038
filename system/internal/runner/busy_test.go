package runner

import (
	"testing"
	"time"

	"strowger/system/service"
)

// TestBusy: a service that has much to do is not taken for one that hangs. It keeps its state and its queue. It hangs
// when one call takes too long.
func TestBusy(t *testing.T) {
	const queued = 64
	entered, turn := make(chan struct{}), make(chan struct{})
	s := crasher(service.Supervision{PingEvery: time.Second, PingTimeout: time.Minute})
	s.RequestTimeout = 24 * time.Hour
	setup := s.Setup
	s.Setup = func(s service.Setup) error {
		served := 0
		s.Handle("wait", func(r service.Request) error {
			entered <- struct{}{}
			<-turn
			served++
			r.Reply(served)
			return nil
		})
		return setup(s)
	}
	r := start(t, s)
	var ids []string
	for range queued {
		ids = append(ids, r.ask("wait", ""))
	}
	await(t, entered)
	r.after(time.Second) // the ping, which waits behind all of them
	r.clock.AwaitTimer(t, time.Minute)
	for n := 1; n < queued; n++ {
		turn <- struct{}{}
		await(t, entered)
		r.want(ids[n-1] + ` 200 wait ` + quoted(n)[1:len(quoted(n))-1])
		r.after(time.Minute)
		r.clock.AwaitTimer(t, time.Minute) // it has been looked at
	}
	if got := r.instance.State(); got.Condition != service.Up || got.Restarts != 0 {
		t.Fatalf("state %+v, want that it is up and was never restarted", got)
	}
	last := r.ask("ping", "")
	r.after(time.Minute)
	r.want(ids[queued-1]+` 500 wait null`, last+` 503 ping {"retry_after":0}`)
	r.state("restarting", "up")
	turn <- struct{}{}
	r.ping()
}
