package supervisor

import (
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// crashesPerSupervisor is as in bench/supervision/otp.escript: failures are kept in a list that is
// walked at every one, so each supervisor sees few.
const crashesPerSupervisor = 50

// BenchmarkPanicToNextMessage measures how long it takes from sending a message that makes a child
// panic to the answer to the next one, which the restarted child gives. bench/supervision/run sets
// the medians beside those of an Erlang/OTP supervisor.
func BenchmarkPanicToNextMessage(b *testing.B) {
	b.Run("in-place", func(b *testing.B) {
		// Each failure is isolated: the request waits in the mailbox, which the restart keeps.
		o := Options{Intensity: 1 << 30, Period: time.Nanosecond}
		measure(b, o, func(p *patient) {
			p.system.Root.Send(p.child, &crash{"boom"})
			p.count()
		})
	})
	b.Run("respawn", func(b *testing.B) {
		// No failure is isolated, and no pause is made: each is followed by a new child.
		o := Options{Intensity: 1 << 30, Period: time.Hour, Random: func() float64 { return 0 }}
		measure(b, o, func(p *patient) {
			p.system.Root.Send(p.child, &crash{"boom"})
			p.child = <-p.up
			p.count()
		})
	})
}

// patient is a child that is made to panic, with its supervisor.
type patient struct {
	b      *testing.B
	system *actor.ActorSystem
	parent *actor.PID
	child  *actor.PID
	up     chan *actor.PID // of each generation but the first
}

// admit starts a supervisor with one child that has failed once, so that the next failure is a
// further one.
func admit(b *testing.B, system *actor.ActorSystem, o Options) *patient {
	p := &patient{b: b, system: system, up: make(chan *actor.PID, 1)}
	first := make(chan *actor.PID, 1)
	o.Children = workers("a", nil)
	o.Observe = func(e Event) {
		switch e := e.(type) {
		case *ChildStarted:
			first <- e.PID
		case *ChildUp:
			if !e.InPlace {
				p.up <- e.PID
			}
		}
	}
	props, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	p.parent = system.Root.Spawn(props)
	p.child = <-first
	system.Root.Send(p.child, &crash{"boom"})
	p.count()
	return p
}

// count has the child answer, which must be a new incarnation.
func (p *patient) count() {
	answer, err := p.system.Root.RequestFuture(p.child, &count{}, patience).Result()
	if answer != 1 || err != nil {
		p.b.Fatalf("child answers %v, %v, want 1", answer, err)
	}
}

func (p *patient) discharge() {
	if err := p.system.Root.StopFuture(p.parent).Wait(); err != nil {
		p.b.Fatal(err)
	}
}

// measure reports the median and the 99th percentile of what one run of episode takes.
func measure(b *testing.B, o Options, episode func(*patient)) {
	system := newSystem()
	var times []time.Duration
	var p *patient
	for b.Loop() {
		if len(times)%crashesPerSupervisor == 0 {
			b.StopTimer()
			if p != nil {
				p.discharge()
			}
			p = admit(b, system, o)
			b.StartTimer()
		}
		begin := time.Now()
		episode(p)
		times = append(times, time.Since(begin))
	}
	p.discharge()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2]), "median-ns")
	b.ReportMetric(float64(times[len(times)*99/100]), "p99-ns")
}
