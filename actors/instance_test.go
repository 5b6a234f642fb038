package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// localService is a service in this process that hands what it gets to the test.
type localService struct {
	asked chan *Request
	gone  chan string
}

func (l *localService) Ask(r *Request)         { l.asked <- r }
func (l *localService) Gone(subscriber string) { l.gone <- subscriber }

// local offers a service in this process and waits until requests find it.
func (w *world) local(name string) (*localService, *Peer) {
	w.t.Helper()
	return w.localWith(name, nil)
}

func (w *world) localWith(name string, policy *filter.Filter) (*localService, *Peer) {
	w.t.Helper()
	l := &localService{asked: make(chan *Request, 64), gone: make(chan string, 64)}
	peer := NewLocal(name, policy, l)
	w.router.Send(&Offer{Peer: peer})
	w.settle(w.router.PID())
	w.settle(w.deps.Registry.Lookup(name).Service.PID())
	w.t.Cleanup(func() { w.router.Send(&withdraw{Peer: peer}) })
	return l, peer
}

func (l *localService) next(t *testing.T) *Request {
	t.Helper()
	select {
	case r := <-l.asked:
		return r
	case <-time.After(patience):
		t.Fatal("no request came")
		return nil
	}
}

func answerTo(r *Request, payload string) *envelope.Envelope {
	return &envelope.Envelope{ServiceName: r.Envelope.ServiceName, Topic: r.Envelope.Topic, RequestID: r.Envelope.RequestID,
		ResourceID: r.Envelope.ResourceID, Payload: envelope.Raw(payload)}
}

func TestLocalService(t *testing.T) {
	w := newWorld(t)
	l, peer := w.local("s")
	p, member := w.client(), w.client("s")
	p.writef(`{"service":"s","topic":"x","request_id":7,"payload":{"a":1},"permissions":{"root":true}}`)
	r := l.next(t)
	if got, want := string(r.Envelope.Permissions), `{"see":true}`; got != want {
		t.Errorf("permissions %s, want %s", got, want)
	}
	if got, want := r.Deadline, w.clock.Now().Add(w.deps.settings().RequestTimeout); !got.Equal(want) {
		t.Errorf("deadline %s, want %s", got, want)
	}
	w.deps.Speak(peer, answerTo(r, `[1]`), new(runtime.Window), 1)
	r.Release()
	p.gets(` s/x #7 [1]`)
	w.deps.Speak(peer, &envelope.Envelope{ServiceName: envelope.QuoteString("s"), Topic: envelope.QuoteString("news"), Payload: envelope.Raw(`2`)}, new(runtime.Window), 1)
	member.gets(` s/news #"" 2`)

	id := r.From.ID
	w.gone(p)
	select {
	case got := <-l.gone:
		if got != id {
			t.Errorf("%s is gone, want %s", got, id)
		}
	case <-time.After(patience):
		t.Fatal("the service was not told that its asker left")
	}
}

// A service's own policy holds for what it says, but not for why it could not do what was asked, nor
// for what the system says about it.
func TestPolicyOfLocalService(t *testing.T) {
	w := newWorld(t)
	policy, err := filter.Compile(policy.Policy{TopicPermissions: map[string][]string{"x": {"nobody has it"}}})
	if err != nil {
		t.Fatal(err)
	}
	l, peer := w.localWith("s", policy)
	p := w.client("s")
	ask := func(id string) *Request {
		p.writef(`{"service":"s","topic":"ask","request_id":%q}`, id)
		r := l.next(t)
		defer r.Release()
		return r
	}
	answered := answerTo(ask("1"), `{"a":1}`)
	answered.Topic = envelope.QuoteString("x")
	w.deps.Speak(peer, answered, new(runtime.Window), 1)
	p.gets(`403 s/x #"1" null`)
	failed := answerTo(ask("2"), `{"retry_after":1}`)
	failed.Topic, failed.StatusCode = envelope.QuoteString("x"), envelope.Raw("503")
	w.deps.Speak(peer, failed, new(runtime.Window), 1)
	p.gets(`503 s/x #"2" {"retry_after":1}`)
	news := &envelope.Envelope{ServiceName: envelope.QuoteString("s"), Topic: envelope.QuoteString("x"), Payload: envelope.Raw(`1`)}
	w.deps.Speak(peer, news, new(runtime.Window), 1)
	w.deps.Announce(peer, news, new(runtime.Window), 1)
	p.gets(` s/x #"" 1`)
	w.settleName(p, "s")
	p.silent()
}

// That a remote service failed may be known, what it says about it goes by its policy.
func TestFailureOfRemoteService(t *testing.T) {
	w := under(t, `{s_service: {topic_permissions: {x: [nobody has it]}}}`)
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","topic":"ask","request_id":"1"}`)
	id := s.asked(` s/ask #"1" null`)
	s.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":503,"payload":{"secret":1}}`, id)
	p.gets(`503 s/x #"1" null`)
}

// protocol 11.15: a remote service under a name that is taken inside stays connected and gets nothing.
func TestNameTakenInside(t *testing.T) {
	w := newWorld(t)
	l, _ := w.local("s")
	remote, p := w.service("s"), w.client("s")
	remote.writef(`{"service":"s","topic":"x","payload":1}`)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	l.next(t).Release()
	w.settleName(remote, "s")
	remote.open()
	remote.silent()
	p.silent()
	w.wantDead(ForeignName, 1)
}

func TestBalanced(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.Instances = Balanced; s.PendingRequests = 100 })
	instances := []*peer{w.service("s"), w.service("s"), w.service("s")}
	p := w.client()
	const requests = 30
	for i := range requests {
		p.writef(`{"service":"s","request_id":"%d"}`, i)
	}
	w.settleName(p, "s")
	for i, s := range instances {
		if got := len(s.socket.written); got != requests/len(instances) {
			t.Errorf("instance %d got %d requests, want %d", i, got, requests/len(instances))
		}
	}
	// The one that answers gets the next ones.
	m := instances[1].next()
	resource, _ := envelope.Text(m.ResourceID)
	id, _ := envelope.Text(m.RequestID)
	instances[1].writef(`{"service":"s","request_id":%q,"resource_id":%q}`, id, resource)
	p.gets(fmt.Sprintf(` s/ #%q null`, id))
	before := len(instances[1].socket.written)
	p.writef(`{"service":"s","request_id":"next"}`)
	w.settleName(p, "s")
	if got := len(instances[1].socket.written); got != before+1 {
		t.Errorf("the one with the fewest open requests has %d waiting, want %d", got, before+1)
	}
}

func TestInstanceDies(t *testing.T) {
	long := strings.Repeat("x", smallRequest+1)
	for _, c := range []struct {
		name      string
		instances Instances
		late      bool // the deadline is over when the instance dies
		again     bool // the other instance gets the request
		answer    string
	}{
		{name: "all, the other has it too", instances: All},
		{name: "balanced", instances: Balanced, answer: `503 s/x #"1" null`},
		{name: "failover", instances: Failover, again: true},
		{name: "failover, too late", instances: Failover, late: true, answer: `503 s/x #"1" null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.Instances = c.instances })
			p, first := w.client(), w.service("s")
			var second *peer
			if c.instances == All {
				second = w.service("s")
			}
			p.writef(`{"service":"s","topic":"x","request_id":"1","payload":%q}`, long)
			first.asked(` s/x #"1" "` + long + `"`)
			if second == nil {
				second = w.service("s")
			} else {
				second.asked(` s/x #"1" "` + long + `"`)
			}
			if c.late {
				w.clock.Advance(w.deps.settings().RequestTimeout)
			}
			w.gone(first)
			w.settleName(p, "s")
			if c.answer != "" {
				p.gets(c.answer)
				return
			}
			if c.again {
				second.asked(` s/x #"1" "` + long + `"`)
			}
			p.silent()
			w.gone(second)
			w.settle(w.router.PID())
			p.gets(`503 s/x #"1" null`)
		})
	}
}

// An answer without an id would be taken for something else.
func TestInstanceDiesOverRequestWithoutID(t *testing.T) {
	w := newWorld(t)
	p, s, member := w.client(), w.service("s"), w.client("s")
	p.writef(`{"service":"s","topic":"x"}`)
	s.asked(` s/x #"" null`)
	w.gone(s)
	w.settleName(member, "s")
	p.silent()
}

func TestFence(t *testing.T) {
	w := newWorld(t)
	const names = 5
	var speakers, listeners []*peer
	for i := range names {
		name := fmt.Sprintf("s%d", i)
		speakers = append(speakers, w.service(name))
		listeners = append(listeners, w.client(name))
	}
	for i, s := range speakers {
		for n := range 20 {
			s.writef(`{"service":"s%d","payload":%d}`, i, n)
		}
		w.settle(s.pid)
	}
	passed := make(chan struct{})
	w.router.Send(&Fence{Done: func() { close(passed) }})
	await(t, "the fence", passed)
	for i, l := range listeners {
		if got := len(l.socket.written); got != 20 {
			t.Errorf("name %d: %d of 20 broadcasts are there", i, got)
		}
	}
}

func TestFenceWithoutNames(t *testing.T) {
	w := newWorld(t)
	passed := make(chan struct{})
	w.router.Send(&Fence{Done: func() { close(passed) }})
	await(t, "the fence", passed)
}

// A router that has stopped passes nothing on any more, so nobody waits for it.
func TestFenceBehindTheEndOfTheRouter(t *testing.T) {
	w := newWorld(t)
	_ = w.deps.System.Root.StopFuture(w.router.PID()).Wait()
	passed := make(chan struct{})
	w.router.Send(&Fence{Done: func() { close(passed) }})
	await(t, "the fence", passed)
}

// A name that has ended has nothing more to say, so a fence does not wait for it.
func TestFenceBehindTheEndOfAName(t *testing.T) {
	w := newWorld(t)
	s := w.service("s")
	route := w.deps.Registry.Lookup("s")
	w.gone(s)
	w.ended(route.Service.PID())
	passed := make(chan struct{})
	p := &passing{done: func() { close(passed) }}
	p.left.Store(1)
	route.Service.Send(p)
	await(t, "the fence", passed)
}

// refuse lets the next request that is handed to the peer find no room.
func (p *peer) refuse() {
	p.w.t.Helper()
	select {
	case f := <-p.socket.written:
		if f.Refused == nil {
			p.w.t.Fatal("nobody is told when a request finds no room")
		}
		f.Refused.Refuse()
	case <-time.After(patience):
		p.w.t.Fatal("no request came")
	}
}

func TestRefusedRequestIsAnsweredAndForgotten(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.PendingRequests = 1 })
	s, p := w.service("s"), w.client()
	for range 3 {
		p.writef(`{"service":"s","request_id":"1"}`)
		s.refuse()
		p.gets(`503 s/ #"1" null`)
		p.writef(`{"service":"s","request_id":"2"}`)
		s.refuse()
		p.gets(`503 s/ #"2" null`)
	}
	w.wantDead(TooManyRequests, 6)
	w.wantRefusals("slow_service", 6)
}

// wantRefusals fails unless there were so many refusals for a cause.
func (w *world) wantRefusals(cause string, n int64) {
	w.t.Helper()
	if got := w.deps.Refusals().Counts()[cause]; got != n {
		w.t.Errorf("%d refusals for %s, want %d", got, cause, n)
	}
}

func TestRefusedByOneOfTwo(t *testing.T) {
	w := newWorld(t)
	busy, free, p := w.service("s"), w.service("s"), w.client()
	p.writef(`{"service":"s","request_id":"1"}`)
	id := free.asked(` s/ #"1" null`)
	busy.refuse()
	w.settleName(p, "s")
	p.silent()
	free.writef(`{"service":"s","request_id":"1","resource_id":%q,"payload":"done"}`, id)
	p.gets(` s/ #"1" "done"`)
}

// A request of which not all was kept must not be carried out a second time in part.
func TestFailoverOnlyOfWholeRequests(t *testing.T) {
	long := strings.Repeat("x", smallRequest)
	for name, member := range map[string]string{"payload": "payload", "what the envelope does not have": "extra"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.Instances = Balanced })
			a, p := w.service("s"), w.client()
			p.writef(`{"service":"s","request_id":"1",%q:%q}`, member, long)
			a.next()
			b := w.service("s")
			w.change(func(s *Settings) { s.Instances = Failover })
			a.leave()
			p.gets(`503 s/ #"1" null`)
			w.settleName(p, "s")
			b.silent()
		})
	}
}

func TestLongRequestIsNotKept(t *testing.T) {
	long := strings.Repeat("x", smallRequest)
	for name, tt := range map[string]struct {
		request string
		kept    bool
	}{
		"short":         {`{"service":"s","request_id":"1","topic":"t"}`, true},
		"long payload":  {`{"service":"s","request_id":"1","payload":"` + long + `"}`, true},
		"long unknown":  {`{"service":"s","request_id":"1","x":"` + long + `"}`, true},
		"long topic":    {`{"service":"s","request_id":"1","topic":"` + long + `"}`, false},
		"long identity": {`{"service":"s","request_id":"` + long + `"}`, false},
	} {
		m, err := envelope.Decode([]byte(tt.request), envelope.MaxDepth)
		if err != nil {
			t.Fatal(err)
		}
		e := answerable(&m.Envelope)
		if got := e != nil; got != tt.kept {
			t.Errorf("%s: kept %v, want %v", name, got, tt.kept)
			continue
		}
		if e != nil && (cap(e.RequestID) > 64 || cap(e.ServiceName) > 64 || cap(e.Topic) > 64) {
			t.Errorf("%s: an id keeps the message alive", name)
		}
	}
}
