package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// The settings file counts before the service, the service before what is built in.
func TestWhosePolicyCounts(t *testing.T) {
	byName, byClass, own, builtin, fallback := filter.Pass(), filter.Pass(), filter.Pass(), filter.Pass(), filter.Deny()
	p := NewPolicies(map[string]*filter.Filter{"s": byName, "c": byClass}, map[string]*filter.Filter{"c": builtin, "b": builtin}, fallback)
	for name, test := range map[string]struct {
		service, class string
		own            *filter.Filter
		want           Ruling
	}{
		"all":                  {"s", "c", own, Ruling{byName, FromSettings, "s"}},
		"file, by class":       {"other", "c", own, Ruling{byClass, FromSettings, "c"}},
		"own":                  {"other", "b", own, Ruling{own, FromService, "other"}},
		"own alone":            {"other", "", own, Ruling{own, FromService, "other"}},
		"built in":             {"other", "b", nil, Ruling{builtin, FromBuiltin, "b"}},
		"neither":              {"other", "other", nil, Ruling{fallback, FromDefault, ""}},
		"name of a class":      {"c", "other", nil, Ruling{byClass, FromSettings, "c"}},
		"name of a built-in":   {"b", "other", nil, Ruling{fallback, FromDefault, ""}},
		"a class that is none": {"other", "", nil, Ruling{fallback, FromDefault, ""}},
	} {
		if got := p.Of(&Peer{Identity: Identity{Name: test.service, Class: test.class, Policy: test.own}}); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
	for _, none := range []*Policies{nil, {}} {
		if got, want := none.Of(&Peer{Identity: Identity{Name: "s"}}), (Ruling{nil, FromDefault, ""}); got != want {
			t.Errorf("without policies: got %+v, want %+v", got, want)
		}
		if got, want := none.Of(&Peer{Identity: Identity{Name: "s", Policy: own}}), (Ruling{own, FromService, "s"}); got != want {
			t.Errorf("without policies but its own: got %+v, want %+v", got, want)
		}
	}
	for name, class := range map[string]string{"active.calls": "active_calls_service", "weather": ""} {
		if got := NewLocal(name, nil, nil).Class; got != class {
			t.Errorf("%s in this process has the class %q, want %q", name, got, class)
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
		"denied":                 {NewPolicies(nil, nil, filter.Deny()), false, 1},
		"allowed":                {NewPolicies(nil, nil, filter.Pass()), true, 1},
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

// The policy of a service in this process counts until the settings file has one for it, and again when that is
// gone: for broadcasts, requests and replies.
func TestPolicyOfItsOwn(t *testing.T) {
	w := newWorld(t)
	f, err := filter.Compile(policy.Policy{Keys: []string{"a"}, Requests: map[string][]string{"ask": {"nobody has it"}}})
	if err != nil {
		t.Fatal(err)
	}
	l, own := w.localWith("s", f)
	p := w.client("s")
	for i, test := range []struct {
		policies, payload string
		asked             bool
	}{
		{``, `{"a":1}`, false},
		{`{s: {keys: [b]}}`, `{"b":2}`, true},
		{`{other: {keys: [b]}}`, `{"a":1}`, false},
	} {
		w.govern(test.policies)
		id := strconv.Itoa(i)
		w.deps.Speak(own, &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Payload: envelope.Raw(`{"a":1,"b":2}`)}, new(runtime.Window), 1)
		p.gets(` s/ #"" ` + test.payload)
		p.writef(`{"service":"s","topic":"ask","request_id":%q}`, id)
		if !test.asked {
			p.gets(fmt.Sprintf(`403 s/ask #%q null`, id))
			continue
		}
		r := l.next(t)
		w.deps.Speak(own, answerTo(r, `{"a":1,"b":2}`), new(runtime.Window), 1)
		r.Release()
		p.gets(fmt.Sprintf(` s/ask #%q %s`, id, test.payload))
	}
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
