package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// The name's policy goes before the class's, and what the service brought along before both.
func TestWhosePolicyCounts(t *testing.T) {
	p := policies(t, `{s: {keys: [name]}, c: {keys: [class]}}`)
	own := filter.Pass()
	for name, test := range map[string]struct {
		peer  *Peer
		want  *filter.Filter
		found bool
	}{
		"own":           {&Peer{Identity: Identity{Name: "s", Class: "c", Policy: own}}, own, true},
		"name":          {&Peer{Identity: Identity{Name: "s", Class: "c"}}, p.filters["s"], true},
		"class":         {&Peer{Identity: Identity{Name: "other", Class: "c"}}, p.filters["c"], true},
		"neither":       {&Peer{Identity: Identity{Name: "other", Class: "other"}}, p.fallback, false},
		"class as name": {&Peer{Identity: Identity{Name: "c", Class: "other"}}, p.filters["c"], true},
	} {
		if got, found := p.Of(test.peer); got != test.want || found != test.found {
			t.Errorf("%s: got %p, %v, want %p, %v", name, got, found, test.want, test.found)
		}
	}
	for _, none := range []*Policies{nil, {}} {
		if f, found := none.Of(&Peer{Identity: Identity{Name: "s"}}); f != nil || found {
			t.Error("without policies somebody has one")
		}
	}
}

// log gathers log lines.
type log struct {
	mu sync.Mutex // Protects following.
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.Buffer.String(), text)
}

// String returns all lines so far.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

func TestServiceWithoutPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		policies *Policies
		open     bool
		warnings int
	}{
		"denied":                 {NewPolicies(nil, filter.Deny()), false, 1},
		"allowed":                {NewPolicies(nil, filter.Pass()), true, 1},
		"no policies of any one": {nil, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			lines := new(log)
			w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
			w.change(func(s *Settings) { s.Policies = test.policies })
			p := w.client("s")
			for range 3 {
				s := w.service("s")
				s.writef(`{"service":"s","payload":1}`)
				w.settleName(s, "s")
				p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
				if test.open {
					p.gets(` s/ #"" 1`)
					s.asked(` s/t #"1" null`)
				} else {
					p.gets(`403 s/t #"1" null`)
					s.silent()
				}
				w.gone(s)
				if test.open {
					p.gets(`503 s/t #"1" null`)
				}
			}
			if n := lines.count("service without a policy"); n != test.warnings {
				t.Errorf("%d warnings, want %d", n, test.warnings)
			}
			if n := lines.count("routing.default_policy"); n != test.warnings {
				t.Errorf("the setting is named %d times, want %d", n, test.warnings)
			}
			if !test.open {
				w.wantDead(Forbidden, 3)
			}
		})
	}
}

// A reload that takes a policy away is told of as a new service without one is.
func TestReloadThatTakesAPolicyAway(t *testing.T) {
	lines := new(log)
	w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
	w.govern(salaries)
	s := w.service("s")
	w.settleName(s, "s")
	if n := lines.count("service without a policy"); n != 0 {
		t.Errorf("%d warnings of a service with a policy", n)
	}
	w.govern(``)
	for range 2 {
		s.writef(`{"service":"s","payload":1}`)
	}
	w.settleName(s, "s")
	if n := lines.count("service without a policy"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

// A service may bring its policy along, as those do that run in this process.
func TestPolicyOfItsOwn(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}]}`)
	f, err := filter.Compile(policy.Policy{Keys: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.client("s")
	own := &Peer{Identity: Identity{ID: "own", Name: "s", Class: "s_service", Policy: f}, Outlet: newFakeSocket()}
	w.router.Send(&Offer{Peer: own})
	w.settle(w.router.PID())
	route := w.deps.Registry.Lookup("s")
	w.deps.send(route.Service.PID(), &say{envelope: &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Payload: envelope.Raw(`{"a":1,"b":2}`)}, from: own})
	p.gets(` s/ #"" {"a":1}`)
	w.router.Send(&withdraw{Peer: own})
}

// What a reload changes holds for the next reply, also to those who had one before.
func TestReloadOfPoliciesForReplies(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}], keys: [a]}`)
	s, p := w.service("s"), w.client()
	for i, want := range []string{`{"a":1}`, `{"a":1}`, `{"b":2}`} {
		if i == 2 {
			w.govern(`s_service: {scopes: [{to: all}], keys: [b]}`)
		}
		p.writef(`{"service":"s","request_id":"%d"}`, i+1)
		id := s.asked(fmt.Sprintf(` s/ #"%d" null`, i+1))
		s.writef(`{"service_name":"s","status_code":200,"request_id":"%d","resource_id":%q,"payload":{"a":1,"b":2}}`, i+1, id)
		p.gets(fmt.Sprintf(`200 s/ #"%d" %s`, i+1, want))
	}
}
