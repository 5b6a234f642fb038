package transport

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/config/policy"
	"strowger/transport/frame"
)

// govern gives services policies that let everybody see everything.
func (s *server) govern(slow map[string]policy.Policy) {
	s.t.Helper()
	filters := make(map[string]*filter.Filter)
	for name, p := range slow {
		p.Scopes = []policy.Scope{{To: policy.All}}
		f, err := filter.Compile(p)
		if err != nil {
			s.t.Fatal(err)
		}
		filters[name] = f
	}
	settings := *s.deps.Settings.Load()
	settings.Policies = actors.NewPolicies(filters, nil, filter.Pass())
	s.deps.Settings.Store(&settings)
}

// hearing authenticates as a client that asks to be told of gaps.
func (p *peer) hearing(token string) *peer {
	p.t.Helper()
	p.text(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":"x"},"payload":{"gaps":true}}`, token))
	if e := p.envelope(); string(e.Payload) != `{"gaps":true}` || e.StatusCode != float64(200) {
		p.t.Fatalf("the 200 says %s", e.Payload)
	}
	return p
}

// tally is what a reader got of one service, which numbers what it says from 1 on.
type tally struct {
	last, got, told int
	unsaid          int // numbers that are missing and of which nothing was said
	replies         int
	latest          map[string]int
}

// hear reads until the end of every service has come.
func (p *peer) hear(services ...string) map[string]*tally {
	p.t.Helper()
	all := make(map[string]*tally)
	for _, name := range services {
		all[name] = &tally{latest: make(map[string]int)}
	}
	for open := len(services); open > 0; {
		m := p.next()
		if m.op != frame.OpText {
			continue
		}
		var e struct {
			ServiceName string `json:"service_name"`
			RequestID   string `json:"request_id"`
			Payload     *struct {
				N   int
				Key string
				End bool
			}
			Gap int
		}
		if err := json.Unmarshal(m.payload, &e); err != nil || all[e.ServiceName] == nil {
			p.t.Fatalf("got %s: %v", m.payload, err)
		}
		of := all[e.ServiceName]
		switch {
		case e.RequestID != "":
			of.replies++
			continue
		case e.Payload == nil:
			of.told += e.Gap
			of.last += e.Gap
			continue
		case e.Payload.N <= of.last:
			p.t.Fatalf("%s: got %d after %d, gaps included", e.ServiceName, e.Payload.N, of.last)
		}
		of.unsaid += e.Payload.N - of.last - 1
		of.last = e.Payload.N
		of.got++
		of.latest[e.Payload.Key] = e.Payload.N
		if e.Payload.End {
			open--
		}
	}
	return all
}

// speaker is a service that numbers what it says.
type speaker struct {
	*peer
	name   string
	n      int
	latest map[string]int
}

func speaking(p *peer, name string) *speaker {
	return &speaker{peer: p.login("service:" + name), name: name, latest: make(map[string]int)}
}

func (v *speaker) say(key string, size int, end bool) {
	v.n++
	v.latest[key] = v.n
	v.text(broadcast(v.name, fmt.Sprintf(`{"n":%d,"key":%q,"end":%t,"fill":%s}`, v.n, key, end, filler(size))))
}

// exact fails unless of every broadcast of the service the reader got it or was told that it is missing.
func (of *tally) exact(t *testing.T, v *speaker) {
	t.Helper()
	if of.got+of.told != v.n || of.unsaid != 0 || of.last != v.n {
		t.Errorf("%s: of %d the reader got %d and was told of %d, and nothing of %d", v.name, v.n, of.got, of.told, of.unsaid)
	}
}

func (s *server) dropped() int64 { return s.deps.Counters.Dropped.Load() }

func shedLimits(l *Limits) { l.OutboundMessages, l.OutboundBytes = 64, 256<<10 }

// A reader that does not read loses the oldest, hears how many, and stays connected. All else reaches it.
func TestDropOldest(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, secure := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		t.Run(name, func(t *testing.T) {
			lines := new(journal)
			s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), secure, shedLimits)
			dial := func() *peer { return s.dialTLS(trusting) }
			if secure == nil {
				s.narrow()
				dial = s.deaf
			}
			s.begin()
			s.govern(map[string]policy.Policy{"a": {Slow: policy.DropOldest}})
			a, b := speaking(dial(), "a"), speaking(dial(), "b")
			slow, old := dial().hearing("client:a+b"), dial().login("client:a+b")
			slow.text(`{"service":"a","topic":"t","request_id":"r"}`)
			asked := a.envelope()
			for s.dropped() < 500 {
				a.say("", 2<<10, false)
			}
			for range 20 { // there is room beside what the other may use
				b.say("", 10, false)
			}
			a.text(fmt.Sprintf(`{"service_name":"a","topic":"t","request_id":"r","resource_id":%q,"payload":null}`, asked.ResourceID))
			for before := s.dropped(); s.dropped() < before+500; {
				a.say("", 2<<10, false)
			}
			b.say("", 1, true)
			a.say("", 1, true)
			all := slow.hear("a", "b")
			all["a"].exact(t, a)
			if of := all["b"]; all["a"].told == 0 || of.got != b.n || of.told != 0 || all["a"].replies != 1 {
				t.Errorf("told of %d; of %d that may not be dropped the reader got %d, and %d replies", all["a"].told, b.n, of.got, all["a"].replies)
			}
			deaf := old.hear("a", "b")
			if of := deaf["a"]; of.told != 0 || of.got+of.unsaid != a.n || of.unsaid == 0 || deaf["b"].got != b.n {
				t.Errorf("who has not asked got %d of %d, and was told of %d", of.got, a.n, of.told)
			}
			if got, want := s.dropped(), int64(all["a"].told+deaf["a"].unsaid); got != want {
				t.Errorf("%d counted as dropped, want %d", got, want)
			}
			if n := s.deps.Counters.SlowConsumers.Load(); n != 0 {
				t.Errorf("%d cut off", n)
			}
			lines.want(t, `level=WARN msg="broadcasts dropped for a slow consumer, as the policy of their service chooses" cause=broadcasts_dropped remote=127\.0\.0\.1:\d+ role=client setting="policies, limits\.outbound_messages, limits\.outbound_bytes" subscriber=\w+ service=a messages=\d+ bytes=\d+ told=(true|false)\n`)
			slow.ping("alive")
			old.ping("alive")
			s.nothingWaits()
		})
	}
}

// With coalesce a reader has the latest of each key in the end.
func TestCoalesce(t *testing.T) {
	s := listen(t, nil, nil, shedLimits)
	s.narrow()
	s.begin()
	s.govern(map[string]policy.Policy{"a": {Slow: policy.Coalesce, Coalesce: []string{"key"}}})
	a := speaking(s.dial(), "a")
	slow := s.deaf().hearing("client:a")
	say := func(i int) {
		key := "often"
		if i%2 == 0 {
			key = fmt.Sprint("key ", i/2%5)
		}
		a.say(key, 2<<10, false)
	}
	for i := 0; s.dropped() < 500; i++ {
		say(i)
	}
	for range 5 { // keys that have no older one push out older ones of others, but not the latest
		say(2 * a.n)
		a.say(fmt.Sprint("new ", a.n), 2<<10, false)
	}
	a.say("end", 1, true)
	of := slow.hear("a")["a"]
	of.exact(t, a)
	if !maps.Equal(of.latest, a.latest) {
		t.Errorf("the latest of each key are %v, want %v", of.latest, a.latest)
	}
	if n := s.deps.Counters.Replaced.Load(); n == 0 || n > s.dropped() {
		t.Errorf("%d of %d replaced", n, s.dropped())
	}
	s.nothingWaits()
}

// What is said and what is read alternate as a seed says. Whatever that comes to, the reader hears of each broadcast.
func TestEveryGapIsTold(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			s := listen(t, nil, nil, func(l *Limits) {
				l.OutboundMessages, l.OutboundBytes = 8+r.IntN(60), int64(64+r.IntN(512))<<10
			})
			s.narrow()
			s.begin()
			s.govern(map[string]policy.Policy{"a": {Slow: policy.DropOldest}, "b": {Slow: policy.Coalesce, Coalesce: []string{"key"}}})
			a, b := speaking(s.dial(), "a"), speaking(s.dial(), "b")
			slow := s.deaf().hearing("client:a+b")
			heard := make(chan map[string]*tally, 1)
			pauses := make(chan struct{}, 1)
			paced := &peer{t: t, Conn: slow.Conn, br: bufio.NewReader(&paced{slow.br, pauses, r.IntN(64<<10) + 1, 0})}
			go func() { heard <- paced.hear("a", "b") }()
			for range 1500 {
				v := a
				if r.IntN(2) > 0 {
					v = b
				}
				v.say(fmt.Sprint(r.IntN(8)), r.IntN(6<<10), false)
				if r.IntN(20) == 0 {
					select {
					case pauses <- struct{}{}:
					default:
					}
				}
			}
			close(pauses)
			a.say("end", 1, true)
			b.say("end", 1, true)
			all := <-heard
			all["a"].exact(t, a)
			all["b"].exact(t, b)
			if n := int64(all["a"].told + all["b"].told); s.dropped() != n || s.deps.Counters.SlowConsumers.Load() != 0 {
				t.Errorf("%d counted as dropped, %d told", s.dropped(), n)
			}
			s.nothingWaits()
		})
	}
}

// paced is a reader that waits after so many bytes for a word to go on, until there is no more waiting.
type paced struct {
	from  io.Reader
	goOn  <-chan struct{}
	most  int
	soFar int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.soFar >= p.most {
		<-p.goOn
		p.soFar = 0
	}
	n, err := p.from.Read(b)
	p.soFar += n
	return n, err
}

// What another process gets of a slow reader has the gaps in their places.
func TestGapsCross(t *testing.T) {
	s := listen(t, nil, nil, shedLimits)
	s.narrow()
	s.begin()
	s.govern(map[string]policy.Policy{"a": {Slow: policy.Coalesce, Coalesce: []string{"key"}}})
	a := speaking(s.dial(), "a")
	slow := s.deaf().hearing("client:a")
	for s.dropped() < 200 {
		a.say(fmt.Sprint(a.n%40), 2<<10, false)
	}
	a.say("end", 1, true)
	var frames [][]byte
	eventually(t, "the last waits", func() bool {
		for _, sh := range s.shards {
			found := make(chan [][]byte, 1)
			sh.during(func() {
				for socket := range sh.sockets {
					if socket.backlog != nil {
						found <- sh.allOf(socket)
						return
					}
				}
				found <- nil
			})
			if all := <-found; all != nil {
				frames = all
			}
		}
		return len(frames) > 0 && strings.Contains(string(frames[len(frames)-1]), `"end":true`)
	})
	told, next := 0, 0
	for _, f := range frames {
		var e struct {
			Payload *struct{ N int }
			Gap     int
		}
		if err := json.Unmarshal(f[headerLen(f):], &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Payload == nil:
			told += e.Gap
			next += e.Gap
			continue
		case next == told: // the first one, before which a gap may be
			next = e.Payload.N
		}
		if e.Payload.N != next {
			t.Fatalf("got %d, want %d", e.Payload.N, next)
		}
		next++
	}
	if told == 0 || next != a.n+1 {
		t.Errorf("told of %d, and the last is %d of %d", told, next-1, a.n)
	}
	slow.hear("a")["a"].exact(t, a)
}
