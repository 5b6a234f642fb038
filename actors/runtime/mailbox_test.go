package runtime

import (
	"fmt"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// manual is a dispatcher that keeps what it is to run until the test runs it.
type manual struct{ scheduled []runner }

func (d *manual) Schedule(f func()) { d.schedule(task(f)) }
func (d *manual) schedule(r runner) { d.scheduled = append(d.scheduled, r) }
func (d *manual) Throughput() int   { return 1 }

func (d *manual) run() {
	for len(d.scheduled) > 0 {
		r := d.scheduled[0]
		d.scheduled = d.scheduled[1:]
		r.run()
	}
}

// recorder is an actor context that writes down what it is given.
type recorder struct {
	got       []string
	escalated []any
	handle    func(message any)
	hook      actor.Actor // what Actor returns
}

func (r *recorder) note(kind string, message any) {
	r.got = append(r.got, kind+fmt.Sprint(message))
	if r.handle != nil {
		r.handle(message)
	}
}

func (r *recorder) InvokeSystemMessage(m any)     { r.note("system ", m) }
func (r *recorder) InvokeUserMessage(m any)       { r.note("", m) }
func (r *recorder) EscalateFailure(reason, _ any) { r.escalated = append(r.escalated, reason) }
func (r *recorder) Actor() actor.Actor            { return r.hook }
func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	if fmt.Sprint(r.got) != fmt.Sprint(want) {
		t.Fatalf("got  %q\nwant %q", r.got, want)
	}
	r.got = nil
}

func testMailbox() (*mailbox, *recorder, *manual) {
	m, r, d := new(mailbox), new(recorder), new(manual)
	m.RegisterHandlers(r, d)
	return m, r, d
}

func TestMailboxOrder(t *testing.T) {
	m, r, d := testMailbox()
	m.PostUserMessage(1)
	m.PostUserMessage(2)
	m.PostSystemMessage("a")
	m.PostSystemMessage("b")
	if len(d.scheduled) != 1 || m.UserMessageCount() != 2 {
		t.Fatalf("%d runs scheduled for %d messages, want 1 for 2", len(d.scheduled), m.UserMessageCount())
	}
	d.run()
	r.want(t, "system a", "system b", "1", "2")
}

// A system message overtakes user messages that were already taken from the queue.
func TestMailboxSystemOvertakes(t *testing.T) {
	m, r, d := testMailbox()
	r.handle = func(message any) {
		if message == 1 {
			m.PostSystemMessage("a")
			m.PostUserMessage(3)
		}
	}
	m.PostUserMessage(1)
	m.PostUserMessage(2)
	d.run()
	r.want(t, "1", "system a", "2", "3")
	if len(d.scheduled) != 0 {
		t.Error("a running mailbox scheduled itself again")
	}
}

func TestMailboxSuspends(t *testing.T) {
	m, r, d := testMailbox()
	r.handle = func(message any) {
		if message == 2 {
			m.PostSystemMessage(&actor.SuspendMailbox{})
			panic("two")
		}
	}
	for i := range 4 {
		m.PostUserMessage(1 + i)
	}
	d.run()
	r.want(t, "1", "2")
	if fmt.Sprint(r.escalated) != "[two]" {
		t.Fatalf("escalated %v, want [two]", r.escalated)
	}
	m.PostUserMessage(5)
	if len(d.scheduled) != 0 {
		t.Error("a suspended mailbox was scheduled for a user message")
	}
	m.PostSystemMessage("a")
	d.run()
	r.want(t, "system a")
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.run()
	r.want(t, "3", "4", "5")
}

func TestMailboxPanicInSystemMessage(t *testing.T) {
	m, r, d := testMailbox()
	r.handle = func(message any) {
		if message == "bad" {
			panic("system")
		}
	}
	m.PostSystemMessage("bad")
	m.PostUserMessage(1)
	d.run()
	r.want(t, "system bad", "1")
	if fmt.Sprint(r.escalated) != "[system]" {
		t.Errorf("escalated %v, want [system]", r.escalated)
	}
}

// Bursts of all sizes go through the same two slices without loss, and long ones do not keep their
// memory.
func TestMailboxReusesSlices(t *testing.T) {
	m, r, d := testMailbox()
	next, want := 0, 0
	r.handle = func(message any) {
		if message != want {
			t.Fatalf("got %v, want %d", message, want)
		}
		want++
	}
	for _, burst := range []int{1, 1, 2, 5, 1, 3 * keep, 1, 1, 1, 7} {
		for range burst {
			m.PostUserMessage(next)
			next++
		}
		d.run()
		r.got = nil
	}
	if want != next {
		t.Errorf("%d of %d messages came", want, next)
	}
	if c := max(cap(m.user), cap(m.taken)); c > keep {
		t.Errorf("a drained queue keeps room for %d messages", c)
	}
	for _, message := range m.taken[:cap(m.taken)] {
		if message != nil {
			t.Fatalf("a drained queue keeps message %v", message)
		}
	}
}

// last keeps only the last one it was given.
type last struct{ runner runner }

func (d *last) Schedule(f func()) { d.schedule(task(f)) }
func (d *last) schedule(r runner) { d.runner = r }
func (d *last) Throughput() int   { return 1 }

func TestMailboxShortQueueAllocatesNothing(t *testing.T) {
	seen, d := 0, new(last)
	m := new(mailbox)
	m.RegisterHandlers(&sink{func(any) { seen++ }}, d)
	message := any("m")
	allocs := testing.AllocsPerRun(1000, func() {
		m.PostUserMessage(message)
		d.runner.run()
	})
	if allocs != 0 || seen != 1001 {
		t.Errorf("%v allocations a message and %d messages, want 0 and 1001", allocs, seen)
	}
}

// Each poster's messages keep their order and none is lost, whoever else posts.
func TestMailboxConcurrentPosters(t *testing.T) {
	const posters, each = 8, 2000
	type post struct{ from, n int }
	var latest [posters]int
	done := make(chan struct{})
	left := posters * each
	take := func(message any) {
		p := message.(post)
		if p.n != latest[p.from]+1 {
			t.Errorf("poster %d: message %d after %d", p.from, p.n, latest[p.from])
		}
		latest[p.from] = p.n
		if left--; left == 0 {
			close(done)
		}
	}
	m, _, _ := testMailbox()
	dispatcher := newDispatcher()
	defer dispatcher.stop()
	m.RegisterHandlers(&sink{take}, dispatcher)
	var posting sync.WaitGroup
	for from := range posters {
		poster := m.PostUserMessage
		if from%2 == 0 {
			poster = (Ref[any]{mailbox: m}).Run
		}
		posting.Go(func() {
			for n := range each {
				poster(post{from, 1 + n})
				if n%100 == 0 {
					m.PostSystemMessage("s")
				}
			}
		})
	}
	posting.Wait()
	await(t, "all messages", done)
}

// Who runs a mailbox for one message leaves the others to the dispatcher.
func TestRunHandsOverOne(t *testing.T) {
	m, r, d := testMailbox()
	i := (Ref[any]{mailbox: m})
	r.handle = func(message any) {
		if message == 1 {
			m.PostUserMessage(2)
			i.Run(3)
		}
	}
	i.Run(1)
	r.want(t, "1")
	m.PostUserMessage(4)
	if len(d.scheduled) != 1 {
		t.Fatalf("%d runs scheduled, want 1", len(d.scheduled))
	}
	d.run()
	r.want(t, "2", "3", "4")
	i.Run(5)
	r.want(t, "5")
	if len(d.scheduled) != 0 {
		t.Error("a run with nothing behind it was scheduled")
	}
}

func TestRunBehindSystemMessage(t *testing.T) {
	m, r, d := testMailbox()
	m.running = true // as for an actor that is being spawned
	m.PostSystemMessage("a")
	m.PostUserMessage(1)
	m.runOne()
	r.want(t, "system a")
	d.run()
	r.want(t, "1")
}

func TestRunThatPanics(t *testing.T) {
	m, r, d := testMailbox()
	r.handle = func(message any) {
		if message == 1 {
			m.PostSystemMessage(&actor.SuspendMailbox{})
			panic("one")
		}
	}
	i := (Ref[any]{mailbox: m})
	i.Run(1)
	d.run()
	i.Run(2)
	r.want(t, "1")
	if fmt.Sprint(r.escalated) != "[one]" {
		t.Errorf("escalated %v, want [one]", r.escalated)
	}
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.run()
	r.want(t, "2")
}

// sink gives user messages to a function, from whatever goroutine runs the mailbox.
type sink struct{ take func(any) }

func (s *sink) InvokeSystemMessage(any)  {}
func (s *sink) EscalateFailure(any, any) {}
func (s *sink) InvokeUserMessage(m any) {
	s.take(m)
}

// leased is a message with a share of a window.
type leased struct{ Held }

// What waits when an actor stops is reported and gives its leases back, also when it stops because
// it panicked.
func TestMailboxBuriesTheRest(t *testing.T) {
	for _, suspended := range []bool{false, true} {
		t.Run(fmt.Sprint("suspended ", suspended), func(t *testing.T) {
			lost := map[Loss]int{}
			rt := &Runtime{lost: func(_ any, why Loss) { lost[why]++ }}
			guard := &Guard{kind: &kind{runtime: rt}}
			m, r, run := testMailbox()
			r.hook = guard
			r.handle = func(message any) {
				if message == "stop" {
					guard.stopped = true
				}
			}
			w := window(1 << 20)
			post := func() {
				w.Acquire(10)
				m.PostUserMessage(&leased{Hold(NewLease(w, 10))})
			}
			for range 3 {
				post()
			}
			if suspended {
				m.PostSystemMessage(&actor.SuspendMailbox{})
			}
			m.PostSystemMessage("stop")
			m.PostUserMessage("not leased")
			run.run()
			post()
			run.run()
			r.want(t, "system stop")
			if got := w.used.Load(); got != 0 {
				t.Errorf("%d bytes still leased", got)
			}
			if len(lost) != 1 || lost[Stopped] != 5 {
				t.Errorf("lost %v, want 5 messages to an actor that has stopped", lost)
			}
		})
	}
}
