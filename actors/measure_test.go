package actors

import (
	"fmt"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/meter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// measured fails unless requests for a name had the outcome so often, and took that long together.
func (w *world) measured(name string, o meter.Outcome, want uint64, sum time.Duration) {
	w.t.Helper()
	for _, s := range w.deps.Counters.Services.All() {
		if s.Name() != name {
			continue
		}
		got := new(meter.Reading)
		if r := s.Read(o); r != nil {
			got = r
		}
		if got.Count() != want || got.Sum != sum.Seconds() {
			w.t.Errorf("%s: %d requests were %v within %v s, want %d within %v s", name, got.Count(), o, got.Sum, want, sum.Seconds())
		}
		return
	}
	w.t.Errorf("%s is not measured", name)
}

func TestRequestsAreMeasured(t *testing.T) {
	const took = 250 * time.Millisecond
	for outcome, happens := range map[meter.Outcome]func(w *world, s, p *peer, id string){
		meter.Answered: func(w *world, s, p *peer, id string) {
			for range 2 {
				s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":200}`, id)
				p.gets(`200 s/x #"1" null`)
			}
		},
		meter.ClientError: func(w *world, s, p *peer, id string) {
			s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":404}`, id)
			p.gets(`404 s/x #"1" null`)
		},
		meter.ServerError: func(w *world, s, p *peer, id string) {
			s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":500}`, id)
			p.gets(`500 s/x #"1" null`)
		},
		meter.Lost: func(w *world, s, p *peer, id string) {
			w.gone(s)
			p.gets(`503 s/x #"1" null`)
		},
		meter.Left: func(w *world, s, p *peer, id string) {
			w.gone(p)
			w.settleName(s, "s")
			s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":200}`, id)
			w.settleName(s, "s")
		},
	} {
		t.Run(outcome.String(), func(t *testing.T) {
			w := newWorld(t)
			s, p := w.service("s"), w.client()
			p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
			id := s.asked(` s/x #"1" null`)
			w.clock.Advance(took)
			happens(w, s, p, id)
			for o := range meter.Outcomes {
				if o == outcome {
					w.measured("s", o, 1, took)
				} else {
					w.measured("s", o, 0, 0)
				}
			}
		})
	}
}

func TestTimeoutIsMeasured(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	s.asked(` s/x #"1" null`)
	timeout := w.deps.settings().RequestTimeout
	w.clock.Advance(2 * timeout)
	w.settleName(p, "s")
	w.measured("s", meter.Timeout, 1, timeout)
}

// A request whose id is used again before its reply is measured too: the first reply is taken for it.
func TestRenewedRequestIsMeasured(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	var id string
	for range 2 {
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		id = s.asked(` s/x #"1" null`)
		w.clock.Advance(time.Second)
	}
	for range 2 {
		s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":200}`, id)
		p.gets(`200 s/x #"1" null`)
		w.clock.Advance(time.Second)
	}
	w.measured("s", meter.Answered, 2, 4*time.Second)
}

// If its instance leaves, it is lost.
func TestLostRenewedRequestIsMeasured(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	for range 2 {
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		s.asked(` s/x #"1" null`)
		w.clock.Advance(time.Second)
	}
	w.gone(s)
	p.gets(`503 s/x #"1" null`)
	w.measured("s", meter.Lost, 2, 3*time.Second)
}

// The only reply of a service in this process is dropped without a word.
func TestDroppedReplyIsMeasured(t *testing.T) {
	w := newWorld(t)
	policy, err := filter.Compile(policy.Policy{TopicPermissions: map[string][]string{"row": {"nobody has it"}}, Streams: []string{"row"}})
	if err != nil {
		t.Fatal(err)
	}
	l, peer := w.localWith("s", policy)
	p := w.client()
	p.writef(`{"service":"s","topic":"rows","request_id":"1"}`)
	r := l.next(t)
	defer r.Release()
	w.clock.Advance(time.Second)
	answer := answerTo(r, `1`)
	answer.Topic = envelope.QuoteString("row")
	w.deps.Speak(peer, answer, new(runtime.Window), 1)
	w.settleName(p, "s")
	p.silent()
	w.measured("s", meter.Filtered, 1, time.Second)
}

func TestHandedOnIsMeasured(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.Instances = Failover })
	first, p := w.service("s"), w.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	first.asked(` s/x #"1" null`)
	second := w.service("s")
	w.clock.Advance(time.Second)
	w.gone(first)
	id := second.asked(` s/x #"1" null`)
	w.measured("s", meter.HandedOn, 1, time.Second)
	w.clock.Advance(time.Second)
	second.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q,"status_code":200}`, id)
	p.gets(`200 s/x #"1" null`)
	w.measured("s", meter.Answered, 1, 2*time.Second)
}

func TestRequestsWithoutAnInstanceAreMeasured(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	most := w.deps.settings().PendingRequests
	for i := range most + 1 {
		p.writef(`{"service":"s","topic":"x","request_id":"%d"}`, i+1)
	}
	p.gets(fmt.Sprintf(`503 s/x #"%d" null`, most+1))
	w.measured("s", meter.Busy, 1, 0)
	p.writef(`{"service":"nobody","topic":"x","request_id":"1"}`)
	w.settle(p.pid)
	w.measured(meter.Other, meter.Unserved, 1, 0)
	w.gone(s)
	for i := range most {
		p.gets(fmt.Sprintf(`503 s/x #"%d" null`, i+1))
	}
	w.measured("s", meter.Lost, uint64(most), 0)
}

func TestPoliciesAreMeasured(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}], requests: {secret: [none]}}`)
	s, p := w.service("s"), w.user("a.x")
	p.writef(`{"service":"s","topic":"secret","request_id":"1"}`)
	p.gets(`403 s/secret #"1" null`)
	w.measured("s", meter.Forbidden, 1, 0)
	p.writef(`{"service":"s","topic":"get","request_id":"2"}`)
	id := s.asked(` s/get #"2" null`)
	w.clock.Advance(time.Second)
	s.writef(`{"service_name":"s","topic":"got","request_id":"2","resource_id":%q,"payload":{"d":"b.x"}}`, id)
	p.gets(`403 s/got #"2" null`)
	w.measured("s", meter.Filtered, 1, time.Second)
}

// A name beyond the limit counts with all others.
func TestMeasuredServicesAreBounded(t *testing.T) {
	w := newWorld(t, func(d *Deps) { d.ServiceMeters = 1 })
	p := w.client()
	for _, name := range []string{"one", "two", "three"} {
		s := w.service(name)
		p.writef(`{"service":%q,"topic":"x","request_id":"1"}`, name)
		id := s.asked(fmt.Sprintf(` %s/x #"1" null`, name))
		s.writef(`{"service_name":%q,"topic":"x","request_id":"1","resource_id":%q,"status_code":200}`, name, id)
		p.gets(fmt.Sprintf(`200 %s/x #"1" null`, name))
	}
	w.measured("one", meter.Answered, 1, 0)
	w.measured(meter.Other, meter.Answered, 2, 0)
}

// A broadcast is measured until every shard has written it. One that reaches nobody is not.
func TestDeliveryIsMeasured(t *testing.T) {
	w := newWorld(t)
	s := w.service("s")
	say := func() {
		s.writef(`{"service_name":"s","topic":"e","payload":1}`)
		w.settleName(s, "s")
	}
	say()
	delivery := w.deps.Counters.Delivery
	if n := delivery.Histogram.Read().Count(); n != 0 {
		t.Fatalf("%d measured that reached nobody", n)
	}
	member := w.client("s")
	say()
	member.gets(` s/e #"" 1`)
	returned(t, "the speaker", s.window)
	if n := delivery.Histogram.Read().Count(); n != 1 {
		t.Fatalf("%d measured, want 1", n)
	}
	if !delivery.Begin() {
		t.Error("a measurement is still under way")
	}
	delivery.Drop()
}

func TestAuthenticationIsMeasured(t *testing.T) {
	w := newWorld(t)
	w.client()
	p := w.connect()
	p.gets(hello)
	p.present("unknown")
	p.next()
	c := w.deps.Counters
	if a, r := c.Admission.Read().Count(), c.Rejection.Read().Count(); a != 1 || r != 1 {
		t.Errorf("%d accepted and %d refused, want 1 and 1", a, r)
	}
}
