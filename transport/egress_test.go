package transport

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
	"strowger/transport/frame"
)

func (l *link) expect(t *testing.T, want string) {
	t.Helper()
	if m := l.far.next(); string(m.payload) != want {
		t.Fatalf("got %.40q (%d bytes), want %.40q", m.payload, len(m.payload), want)
	}
}

// TestStreamIsNeverCorrupt has many send to few readers whose buffers are tiny, so that most writes
// are partial, and checks every byte and each sender's order.
func TestStreamIsNeverCorrupt(t *testing.T) {
	const senders, each, readers = 8, 80, 6
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = senders*each+10, 1<<30 })
	group := r.NewGroup()
	var links []*link
	for range readers {
		l := r.link(2 << 10)
		group.Add(l.socket)
		links = append(links, l)
	}
	var sending, reading sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(sender)))
			for i := range each {
				f := framed(fmt.Sprintf("%d %d %s", sender, i, strings.Repeat(string(rune('a'+i%26)), random.IntN(6000))))
				if sender == 0 {
					group.Send(f, nil)
					continue
				}
				for _, l := range links {
					l.Send(f)
				}
			}
		})
	}
	for _, l := range links {
		reading.Go(func() {
			payloads, err := l.far.all()
			if err != nil {
				t.Errorf("stream: %v", err)
			}
			checkOrder(t, payloads, senders, each)
		})
	}
	sending.Wait()
	for _, l := range links {
		l.Close(actors.ReadOver)
	}
	reading.Wait()
	r.settle()
	for _, l := range links {
		eventually(t, "nothing waits or is counted", func() bool {
			return l.look(func() bool { return l.waiting == 0 && l.bytes == 0 && len(l.queue) == 0 })
		})
	}
}

func checkOrder(t *testing.T, payloads []string, senders, each int) {
	t.Helper()
	if len(payloads) != 1+senders*each {
		t.Errorf("%d frames, want %d", len(payloads), 1+senders*each)
		return
	}
	next := make([]int, senders)
	for _, p := range payloads[1:] {
		var sender, i int
		if _, err := fmt.Sscanf(p, "%d %d ", &sender, &i); err != nil {
			t.Errorf("payload %.40q: %v", p, err)
			return
		}
		fill := p[strings.LastIndexByte(p, ' ')+1:]
		if i != next[sender] || strings.Trim(fill, string(rune('a'+i%26))) != "" {
			t.Errorf("sender %d: got frame %d, want %d, or its bytes are wrong", sender, i, next[sender])
			return
		}
		next[sender]++
	}
}

// TestSlowMemberCostsOthersNothing: the one that overflows leaves the group in the middle of a
// broadcast, which the member that takes its place in the list must get all the same.
func TestSlowMemberCostsOthersNothing(t *testing.T) {
	const messages = 400
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 20, 64<<10 })
	all := r.NewGroup()
	var slow, quick []*link
	for range 4 * r.Shards() {
		l, q := r.link(4<<10), r.link(0)
		slow, quick = append(slow, l), append(quick, q)
		all.Add(l.socket)
		all.Add(q.socket)
	}
	// The sender is not a member: comparing it with a place that has become empty must do no harm.
	sender := r.link(0)
	var reading sync.WaitGroup
	for _, q := range quick {
		reading.Go(func() {
			payloads, err := q.far.all()
			if err != nil || len(payloads) != messages+1 {
				t.Errorf("quick reader got %d frames, err %v; want %d", len(payloads), err, messages+1)
				return
			}
			for i, p := range payloads[1:] {
				if !strings.HasPrefix(p, fmt.Sprintf("%d ", i)) {
					t.Errorf("got %.10q, want number %d", p, i)
					return
				}
			}
		})
	}
	for i := range messages {
		all.Send(framed(fmt.Sprintf("%d %s", i, strings.Repeat("x", 2000))), sender.socket)
		if i%10 == 0 {
			r.settle() // quick readers are no slower than the sender
			for _, q := range quick {
				eventually(t, "quick reader", func() bool { return q.look(func() bool { return q.waiting == 0 }) })
			}
		}
	}
	for _, q := range quick {
		q.Close(actors.ReadOver)
	}
	reading.Wait()
	r.settle()
	if n := r.deps.Counters.SlowConsumers.Load(); n != int64(len(slow)) {
		t.Errorf("%d slow consumers counted, want %d", n, len(slow))
	}
	if n := r.deps.Counters.Panics.Load(); n != 0 {
		t.Errorf("%d panics, want none", n)
	}
	for _, l := range slow {
		if l.look(func() bool { return l.queue != nil || l.held != nil || l.groups != nil }) {
			t.Error("a slow reader's frames or memberships are kept")
		}
	}
	for _, sh := range r.shards {
		if n := len(all.(*group).members[sh.index]); n != 0 {
			t.Errorf("shard %d: %d members left, want none", sh.index, n)
		}
	}
}

// TestWriteDeadlineDoesNotOutliveItsWrite: what a slow spell set must not fail a write long after.
func TestWriteDeadlineDoesNotOutliveItsWrite(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.WriteTimeout = 200 * time.Millisecond })
	l := r.link(2 << 10)
	long := strings.Repeat("x", 1<<20)
	l.expect(t, "admitted")
	l.Send(framed(long))
	l.expect(t, long)
	eventually(t, "queue empty", func() bool { return l.look(func() bool { return !l.writing }) })
	<-time.After(300 * time.Millisecond) // the timeout itself is what is tested
	l.Send(framed("later"))
	l.expect(t, "later")
}

func TestWriteTimeout(t *testing.T) {
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), func(l *Limits) { l.WriteTimeout = 30 * time.Millisecond })
	l := r.link(2 << 10)
	l.Send(framed(strings.Repeat("x", 1<<20)))
	eventually(t, "the stuck connection is gone", func() bool { return r.Live() == 0 })
	lines.want(t, `level=WARN msg="slow consumer disconnected in the middle of a write" cause=write_timeout remote=127\.0\.0\.1:\d+ role=client setting=limits\.write_timeout messages=\d+ bytes=\d+\n`)
	if n := r.deps.Refusals().Count(refusals.WriteTimeout); n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
}

// TestLongReplyToSlowReader: a reply over the bound is let in when nothing waits, and a ping behind
// it is no reason to cut the reader off.
func TestLongReplyToSlowReader(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.PingInterval = time.Hour })
	l := r.link(64 << 10)
	reply := strings.Repeat("0123456789abcde\n", 15<<16)
	l.Send(framed(reply))
	r.settle()
	if !l.look(func() bool { return l.writing }) {
		t.Fatal("the reply does not wait; the test needs a slow reader")
	}
	r.tick(time.Now().Add(2 * time.Hour))
	l.Send(framed("behind"))
	r.settle()
	l.expect(t, "admitted")
	l.expect(t, reply)
	if m := l.far.next(); m.op != frame.OpPing {
		t.Fatalf("opcode %d, want a ping", m.op)
	}
	l.expect(t, "behind")
}

// TestBoundBehindLongReply: what follows a long reply is bounded all the same.
func TestBoundBehindLongReply(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 8, 1<<20 })
	l := r.link(64 << 10)
	l.Send(framed(strings.Repeat("x", 8<<20)))
	r.settle()
	for range 10 { // eight and the reserve of a quarter
		l.Send(framed("y"))
	}
	r.settle()
	if l.look(func() bool { return l.finished }) {
		t.Fatal("cut off within the bound")
	}
	l.Send(framed("one more"))
	r.settle()
	if !l.look(func() bool { return l.finished }) || r.deps.Counters.SlowConsumers.Load() != 1 {
		t.Error("not cut off beyond the bound")
	}
}

func TestHeldUntilAdmitted(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 3, 1<<10 })
	open := func() (*socket, *peer) {
		near, far := r.tcpPair(0)
		r.live.Add(1)
		s := r.newSocket(near, r.limits.Load())
		s.readDone = true // there is no reader
		r.attach(s)
		return s, newPeer(t, far)
	}
	t.Run("order", func(t *testing.T) {
		s, far := open()
		s.Send(framed("1"))
		s.Greet(framed("0"))
		s.Send(framed("2"))
		r.settle()
		s.Admit(actors.Client, framed("200"))
		s.Send(framed("3"))
		s.Close(actors.ReadOver)
		got, err := far.all()
		if want := "0 200 1 2 3"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %q, err %v; want %q", got, err, want)
		}
	})
	for name, send := range map[string]struct{ payload, last int }{"messages": {1, 3}, "bytes": {500, 2}} {
		t.Run("bound in "+name, func(t *testing.T) {
			before := r.deps.Counters.SlowConsumers.Load()
			s, far := open()
			for i := range send.last + 1 {
				if s.look(func() bool { return s.finished }) {
					t.Fatalf("cut off before frame %d, want %d held", i, send.last)
				}
				s.Send(framed(strings.Repeat("x", send.payload)))
			}
			if got, err := far.all(); err == nil || len(got) > 0 {
				t.Errorf("got %q, err %v; want an end without a word", got, err)
			}
			if n := r.deps.Counters.SlowConsumers.Load() - before; n != 1 {
				t.Errorf("%d slow consumers counted, want 1", n)
			}
		})
	}
}

func TestLeasesComeBack(t *testing.T) {
	tests := map[string]func(*rig, *link, actors.Message){
		"sent":            func(_ *rig, l *link, m actors.Message) { l.Send(m) },
		"greeted":         func(_ *rig, l *link, m actors.Message) { l.Greet(m) },
		"admitted":        func(_ *rig, l *link, m actors.Message) { l.Admit(actors.Client, m) },
		"sent to closed":  func(_ *rig, l *link, m actors.Message) { l.Close(actors.ReadOver); l.Send(m) },
		"admitted closed": func(_ *rig, l *link, m actors.Message) { l.Close(actors.ReadOver); l.Admit(actors.Client, m) },
		"broadcast": func(r *rig, l *link, m actors.Message) {
			g := r.NewGroup()
			g.Add(l.socket)
			g.Add(r.link(0).socket)
			g.Send(m, nil)
		},
		"to nobody": func(r *rig, _ *link, m actors.Message) { r.NewGroup().Send(m, nil) },
		"crash": func(r *rig, l *link, m actors.Message) {
			unblock := r.block()
			l.Send(m)
			l.shard.inbox.Post(order{})
			l.Send(m)
			unblock()
		},
	}
	for name, act := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			l := r.link(0)
			var w runtime.Window
			w.SetBudget(1)
			w.Acquire(1)
			f := framed("leased")
			f.Lease = runtime.NewLease(&w, 1)
			act(r, l, f)
			f.Lease.Release()
			w.Acquire(1) // hangs if anybody keeps the lease
		})
	}
}

// TestShardCrash: the message that crashes a shard is lost, what is behind it is not.
func TestShardCrash(t *testing.T) {
	r := newRig(t, nil)
	cut, kept := r.link(0), r.link(0)
	for kept.shard != cut.shard {
		kept = r.link(0)
	}
	cut.expect(t, "admitted")
	kept.expect(t, "admitted")
	unblock := r.block()
	cut.Send(framed("in a batch that crashes"))
	cut.shard.inbox.Post(order{}) // a message without a socket: a bug, for the test's sake
	kept.Send(framed("behind it"))
	unblock()
	kept.expect(t, "behind it")
	if got, err := cut.far.all(); err == nil || len(got) > 0 {
		t.Errorf("got %q, err %v; want to be cut off", got, err)
	}
	if n := r.deps.Counters.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

func TestGroupIsSet(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.link(0), r.link(0)
	for b.shard != a.shard {
		b = r.link(0)
	}
	a.expect(t, "admitted")
	b.expect(t, "admitted")
	g := r.NewGroup()
	g.Add(a.socket)
	g.Add(b.socket)
	g.Add(b.socket)
	g.Remove(a.socket)
	g.Remove(a.socket) // as at an expiry and again at the end
	g.Send(framed("to b"), nil)
	g.Send(framed("not to the sender"), b.socket)
	g.Remove(b.socket)
	g.Send(framed("to nobody"), nil)
	for _, l := range []*link{a, b} {
		l.Close(actors.ReadOver)
	}
	gotA, errA := a.far.all()
	gotB, errB := b.far.all()
	if len(gotA) > 0 || fmt.Sprint(gotB) != "[to b]" || errA != nil || errB != nil {
		t.Errorf("a got %q, %v; b got %q, %v; want nothing and once %q", gotA, errA, gotB, errB, "to b")
	}
}

// TestMembership compares a group with a plain set through many random changes.
func TestMembership(t *testing.T) {
	r := newRig(t, nil)
	sh := r.shards[0]
	groups := []*group{r.NewGroup().(*group), r.NewGroup().(*group), r.NewGroup().(*group)}
	var sockets []*socket
	for range 20 {
		sockets = append(sockets, &socket{shard: sh})
	}
	type pair struct {
		g *group
		s *socket
	}
	want := make(map[pair]bool)
	random := rand.New(rand.NewPCG(7, 7))
	for step := range 5000 {
		g, s := groups[random.IntN(len(groups))], sockets[random.IntN(len(sockets))]
		switch random.IntN(5) {
		case 0, 1:
			sh.enter(g, s)
			want[pair{g, s}] = true
		case 2, 3:
			sh.exit(g, s)
			delete(want, pair{g, s})
		default:
			sh.leaveAll(s)
			for _, g := range groups {
				delete(want, pair{g, s})
			}
		}
		n := 0
		for _, g := range groups {
			for at, s := range g.members[0] {
				n++
				if !want[pair{g, s}] {
					t.Fatalf("step %d: a member that should be none", step)
				}
				for _, m := range s.groups {
					if m.group == g && m.at != at {
						t.Fatalf("step %d: membership at %d says %d", step, at, m.at)
					}
				}
			}
		}
		if n != len(want) {
			t.Fatalf("step %d: %d memberships, want %d", step, n, len(want))
		}
	}
}

func TestPingAndIdle(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.PingInterval, l.IdleTimeout = 10*time.Second, 30*time.Second })
	now := s.ahead()
	page, silent, service := s.login("client"), s.login("client"), s.login("service:a")
	s.tick(now.Add(5 * time.Second))
	s.tick(now.Add(25 * time.Second))
	for _, p := range []*peer{page, silent} {
		if m := p.next(); m.op != frame.OpPing {
			t.Fatalf("opcode %d, want ping", m.op)
		}
	}
	page.write(masked(pong, nil))
	page.ping("heard") // the pong has been read
	s.tick(now.Add(50 * time.Second))
	silent.closed(frame.CloseIdle)
	if n := s.deps.Refusals().Count(refusals.Idle); n != 1 {
		t.Errorf("%d idle connections counted as cut off, want 1", n)
	}
	if m := page.next(); m.op != frame.OpPing {
		t.Fatalf("opcode %d, want another ping", m.op)
	}
	page.ping("alive")
	service.ping("neither pinged nor idle")
}

func TestSlowClientIsDisconnected(t *testing.T) {
	const messages, size = 300, 64 << 10
	s := newServer(t, nil, func(l *Limits) { l.OutboundMessages, l.OutboundBytes = 64, 1<<20 })
	slow, quick, service := s.login("client:a"), s.login("client:a"), s.login("service:a")
	for i := range messages {
		service.text(broadcast("a", filler(size)))
		if got := quick.envelope().Payload; len(got) != size+2 {
			t.Fatalf("broadcast %d: %d bytes, want %d", i, len(got), size+2)
		}
	}
	eventually(t, "slow reader gone", func() bool { return s.Live() == 2 })
	if n := s.deps.Counters.SlowConsumers.Load(); n != 1 {
		t.Errorf("%d slow consumers counted, want 1", n)
	}
	if n := s.deps.Refusals().Count(refusals.SlowReader); n != 1 {
		t.Errorf("%d slow readers counted as cut off, want 1", n)
	}
	got, err := slow.all()
	if err == nil || len(got) >= messages {
		t.Errorf("slow reader got %d of %d frames, err %v; want fewer and an end amid them", len(got), messages, err)
	}
	quick.ping("alive")
}

func TestStopCutsOff(t *testing.T) {
	r := newRig(t, nil)
	stuck, idle := r.link(2<<10), r.link(0)
	stuck.Send(framed(strings.Repeat("x", 4<<20)))
	idle.expect(t, "admitted")
	r.settle()
	r.end()
	if n := r.Live(); n != 0 {
		t.Errorf("%d connections left, want none", n)
	}
	if got, err := idle.far.all(); err == nil || len(got) > 0 {
		t.Errorf("got %q, err %v; want the end", got, err)
	}
}
