package actors

import (
	"fmt"
	"testing"
	"time"

	"strowger/actors/meter"
	"strowger/actors/refusals"
)

// ejecting returns a world with these settings.
func ejecting(t *testing.T, f func(*Settings)) *world {
	t.Helper()
	w := newWorld(t)
	w.change(func(s *Settings) {
		s.EjectPause = time.Minute
		f(s)
	})
	return w
}

// wait lets time pass, and all that comes of it happen.
func (w *world) wait(d time.Duration, p *peer, name string) {
	w.t.Helper()
	w.settleName(p, name)
	w.clock.Advance(d)
	w.settleName(p, name)
}

func (p *peer) ask(name, id string) {
	p.w.t.Helper()
	p.writef(`{"service":%q,"topic":"x","request_id":%q}`, name, id)
}

// answer answers a request, which is the next one that the service gets.
func (p *peer) answer(id string) {
	p.w.t.Helper()
	p.say(id, p.asked(fmt.Sprintf(` s/x #%q null`, id)))
}

func (p *peer) say(id, resource string) {
	p.w.t.Helper()
	p.writef(`{"service_name":"s","topic":"x","request_id":%q,"resource_id":%q,"status_code":200}`, id, resource)
}

func (p *peer) getsAnswer(id string) {
	p.w.t.Helper()
	p.gets(fmt.Sprintf(`200 s/x #%q null`, id))
}

func (w *world) wantEjected(total, now int64) {
	w.t.Helper()
	c := w.deps.Counters
	if c.Ejections.Load() != total || c.Ejected.Load() != now {
		w.t.Errorf("%d ejections and %d ejected, want %d and %d", c.Ejections.Load(), c.Ejected.Load(), total, now)
	}
}

func (w *world) wantRefused(cause refusals.Cause, want int64) {
	w.t.Helper()
	if got := w.deps.Refusals().Counts()[cause.String()]; got != want {
		w.t.Errorf("%d refusals for %v, want %d", got, cause, want)
	}
}

// A request without a reply is answered at its deadline if the settings say so, and a later reply is dropped.
func TestUnanswered(t *testing.T) {
	for _, answer := range []bool{false, true} {
		t.Run(fmt.Sprint("answered ", answer), func(t *testing.T) {
			w := ejecting(t, func(s *Settings) { s.AnswerUnanswered = answer })
			s, p := w.service("s"), w.client()
			p.ask("s", "1")
			p.writef(`{"service":"s","topic":"x"}`)
			id := s.asked(` s/x #"1" null`)
			s.asked(` s/x #"" null`)
			timeout := w.deps.settings().RequestTimeout
			w.wait(timeout-1, p, "s")
			p.silent()
			w.wait(1, p, "s")
			if answer {
				p.gets(`504 s/x #"1" null`)
				w.measured("s", meter.Timeout, 2, 2*timeout)
				w.wantRefused(refusals.Unanswered, 2)
			}
			p.silent()
			s.say("1", id)
			w.settleName(s, "s")
			p.silent()
			w.wantDead(LateReply, 1)
			w.wait(timeout, p, "s")
			w.measured("s", meter.Timeout, 2, 2*timeout)
		})
	}
}

// Whoever has had a reply gets no 504, nor does one that has left, and each request is answered once.
func TestUnansweredOnly(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.AnswerUnanswered = true })
	s, p, gone := w.service("s"), w.client(), w.client()
	gone.ask("s", "0")
	s.asked(` s/x #"0" null`)
	p.ask("s", "1")
	s.answer("1")
	p.getsAnswer("1")
	p.ask("s", "2")
	s.asked(` s/x #"2" null`)
	w.gone(gone)
	w.wait(time.Second, p, "s")
	p.ask("s", "3")
	s.asked(` s/x #"3" null`)
	w.wait(w.deps.settings().RequestTimeout-time.Second, p, "s")
	p.gets(`504 s/x #"2" null`)
	p.silent()
	w.wait(time.Second, p, "s")
	p.gets(`504 s/x #"3" null`)
	w.wait(5*w.deps.settings().RequestTimeout, p, "s")
	p.silent()
}

// A service inside answers by itself.
func TestUnansweredInside(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.AnswerUnanswered, s.EjectAfter, s.EjectSilence = true, 1, time.Second })
	l, _ := w.local("s")
	p := w.client()
	p.ask("s", "1")
	l.next(t).Release()
	w.wait(w.deps.settings().RequestTimeout, p, "s")
	p.silent()
	w.wantEjected(0, 0)
}

// An instance is ejected when it has left so many requests in a row unanswered, and not one earlier.
func TestEjectedAfterMisses(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectAfter = 2 })
	s, p := w.service("s"), w.client("s")
	timeout := w.deps.settings().RequestTimeout
	miss := func(id string) {
		p.ask("s", id)
		s.asked(fmt.Sprintf(` s/x #%q null`, id))
		w.wait(timeout, p, "s")
	}
	miss("1")
	p.ask("s", "2")
	s.answer("2")
	p.getsAnswer("2")
	miss("3")
	w.wantEjected(0, 0)
	miss("4")
	w.wantEjected(1, 1)
	p.gets(`503 s/x #"3" null`, `503 s/x #"4" null`)
	p.ask("s", "5")
	p.gets(`503 s/x #"5" null`)
	s.silent()
	w.measured("s", meter.Ejected, 1, 0)
	w.wantDead(InstancesEjected, 1)
	w.wantRefused(refusals.Ejected, 1)
	w.gone(s)
	w.settleName(p, "s")
	w.wantEjected(1, 0)
}

// What a silent instance has goes to another one under failover, and its answers come too late. After a pause one request
// tries it.
func TestEjectedBySilence(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectSilence, s.Instances, s.RequestTimeout = time.Second, Failover, time.Hour })
	hung, p := w.service("s"), w.client()
	p.ask("s", "1")
	p.ask("s", "1") // the id of the first one
	p.ask("s", "2")
	stale := hung.asked(` s/x #"1" null`)
	hung.asked(` s/x #"1" null`)
	hung.asked(` s/x #"2" null`)
	other := w.service("s")
	w.wait(time.Second-1, p, "s")
	other.silent()
	w.wantEjected(0, 0)
	w.wait(1, p, "s")
	w.wantEjected(1, 1)
	other.answer("1")
	p.getsAnswer("1")
	id := other.asked(` s/x #"2" null`)

	hung.say("2", stale)
	hung.say("1", stale)
	hung.writef(`{"service_name":"s","topic":"x","request_id":"2","status_code":200}`)
	w.settleName(hung, "s")
	p.silent()
	w.wantDead(LateReply, 2)
	w.wantDead(AmbiguousReply, 0)
	other.say("2", id)
	p.getsAnswer("2")

	p.ask("s", "3")
	other.answer("3")
	p.getsAnswer("3")
	w.wait(w.deps.settings().EjectPause, p, "s")
	p.ask("s", "4") // tries it
	hung.asked(` s/x #"4" null`)
	p.ask("s", "5")
	other.answer("5")
	p.getsAnswer("5")
	w.wait(time.Second, p, "s")
	other.answer("4")
	p.getsAnswer("4")
	w.wantEjected(1, 1)
	w.wait(w.deps.settings().EjectPause, p, "s")
	p.ask("s", "6")
	hung.answer("6")
	p.getsAnswer("6")
	w.wantEjected(1, 0)
	for id := range 2 { // both take turns
		p.ask("s", fmt.Sprint(7+id))
	}
	hung.next()
	other.next()
}

// A reply without a resource_id of an instance that was ejected may be for somebody else.
func TestEjectedWithoutResource(t *testing.T) {
	w := ejecting(t, func(s *Settings) {
		s.EjectSilence, s.Instances, s.RepliesWithoutResource = time.Second, Failover, true
	})
	hung, first, second := w.service("s"), w.client(), w.client()
	first.ask("s", "1")
	hung.asked(` s/x #"1" null`)
	other := w.service("s")
	w.wait(time.Second, first, "s")
	other.answer("1")
	first.getsAnswer("1")
	second.ask("s", "1")
	other.asked(` s/x #"1" null`)
	hung.writef(`{"service_name":"s","topic":"x","request_id":"1","status_code":200}`)
	w.settleName(hung, "s")
	second.silent()
	w.wantDead(AmbiguousReply, 1)
}

// Several replies to one request come through from an instance that is back.
func TestReadmittedRepliesTwice(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectSilence = time.Second })
	s, p := w.service("s"), w.client()
	p.ask("s", "1")
	s.asked(` s/x #"1" null`)
	w.wait(time.Second, p, "s")
	p.gets(`503 s/x #"1" null`)
	w.wait(w.deps.settings().EjectPause, p, "s")
	p.ask("s", "2")
	id := s.asked(` s/x #"2" null`)
	for range 2 {
		s.say("2", id)
		p.getsAnswer("2")
	}
	w.wantEjected(1, 0)
}

// An instance that answers is not silent, however much it has to do.
func TestBusyIsNotEjected(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectSilence, s.RequestTimeout, s.PendingRequests = time.Second, time.Hour, 16 })
	s, p := w.service("s"), w.client()
	for i := range 10 {
		p.ask("s", fmt.Sprint(i))
	}
	for i := range 10 {
		w.wait(time.Second-1, p, "s")
		s.answer(fmt.Sprint(i))
		p.getsAnswer(fmt.Sprint(i))
	}
	w.wantEjected(0, 0)
}

// With all instances a request is answered if one of them answers, and no other is to blame.
func TestAllMayLeaveRequestsToOne(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectAfter, s.EjectSilence = 1, time.Second })
	s, idle, p := w.service("s"), w.service("s"), w.client()
	for i := range 3 {
		p.ask("s", fmt.Sprint(i))
		s.answer(fmt.Sprint(i))
		idle.next()
		p.getsAnswer(fmt.Sprint(i))
		w.wait(w.deps.settings().RequestTimeout, p, "s")
	}
	w.wantEjected(0, 0)
}

// An instance that does not answer a health request is ejected until it answers one.
func TestHealthRequests(t *testing.T) {
	w := ejecting(t, func(s *Settings) {
		s.Health, s.HealthInterval, s.Instances = map[string]string{"s": "ping"}, 10*time.Second, Failover
	})
	sick, p := w.service("s"), w.client()
	w.settleName(sick, "s")
	well := w.service("s")
	w.settleName(well, "s")
	check := func(s *peer) (key string) {
		t.Helper()
		m := s.next()
		key = string(m.RequestID)
		if got, want := line(m), fmt.Sprintf(` s/ping #%s null`, key); got != want || string(m.ResourceID) != key || string(m.Permissions) != "[]" {
			t.Fatalf("got %s from %s with %s", got, m.ResourceID, m.Permissions)
		}
		return key
	}
	reply := func(s *peer) {
		t.Helper()
		s.writef(`{"service_name":"s","topic":"pong","request_id":%s,"status_code":404}`, check(s))
		w.settleName(s, "s")
	}
	tick := func() { w.wait(10*time.Second, p, "s") }
	tick()
	reply(well)
	reply(sick)
	tick()
	reply(well)
	late := check(sick)
	tick()
	w.wantEjected(1, 1)
	reply(well)
	p.ask("s", "1")
	well.answer("1")
	p.getsAnswer("1")
	sick.writef(`{"service_name":"s","topic":"pong","request_id":%s}`, late)
	w.settleName(sick, "s")
	w.wantEjected(1, 0)
	for i := range 5 {
		if n := w.dead(DeadReason(i)); n != 0 {
			t.Errorf("%d dead letters for %v", n, DeadReason(i))
		}
	}
	w.measured("s", meter.ClientError, 0, 0)
}

// A reload that takes a setting away gives back what it has cost.
func TestSettingsReadmit(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectSilence, s.EjectPause = time.Second, time.Hour })
	s, p := w.service("s"), w.client()
	p.ask("s", "1")
	s.asked(` s/x #"1" null`)
	w.wait(time.Second, p, "s")
	p.gets(`503 s/x #"1" null`)
	w.change(func(s *Settings) { s.Health, s.HealthInterval = map[string]string{"s": "ping"}, time.Second })
	w.deps.SettingsChanged()
	w.settleName(p, "s")
	w.wantEjected(1, 1)
	w.change(func(s *Settings) { s.EjectSilence = 0 })
	w.deps.SettingsChanged()
	w.settleName(p, "s")
	w.wantEjected(1, 0)
	for range 2 {
		w.wait(time.Second, p, "s")
		s.next()
	}
	w.wantEjected(2, 1)
	w.change(func(s *Settings) { s.Health = nil })
	w.deps.SettingsChanged()
	w.settleName(p, "s")
	w.wantEjected(2, 0)
	w.wait(time.Minute, p, "s")
	p.ask("s", "2")
	s.answer("2")
	p.getsAnswer("2")
}
