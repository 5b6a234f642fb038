package filter

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"strowger/config/policy"
)

// source makes random policies, subjects and payloads of few words, so that they often meet.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 4))} }

var (
	permissions = []string{"p", "q", "r", "s", "t"}
	payloadKeys = []string{"a", "b", "c", "dom", "room", "ext", EventKey}
	events      = []string{"CREATE", "PARK", "HEARTBEAT"}
	topics      = []string{"t1", "t2", "t3"}
	domains     = []string{"one.example", "two.example", "default"}
	extensions  = []string{"1@one.example", "2@one.example", "1@two.example"}
)

func (r source) chance(percent int) bool { return r.IntN(100) < percent }

func (r source) one(of []string) string { return of[r.IntN(len(of))] }

// some returns a sorted selection, with at least the given number of elements.
func (r source) some(of []string, atLeast int) []string {
	n := atLeast + r.IntN(len(of)-atLeast+1)
	var picked []string
	for _, i := range r.Perm(len(of))[:n] {
		picked = append(picked, of[i])
	}
	slices.Sort(picked)
	return picked
}

func (r source) rules(names []string) map[string][]string {
	m := map[string][]string{}
	for _, name := range r.some(names, 0) {
		m[name] = r.some(permissions, 1)
	}
	return m
}

func (r source) scope() policy.Scope {
	s := policy.Scope{To: []policy.Reach{policy.All, policy.Domain, policy.Domain, policy.Extensions, policy.None}[r.IntN(5)]}
	switch s.To {
	case policy.Domain:
		s.Keys = r.some([]string{"dom", "room@", "b"}, 1)
		r.Shuffle(len(s.Keys), func(i, j int) { s.Keys[i], s.Keys[j] = s.Keys[j], s.Keys[i] })
		if r.chance(40) {
			s.ListKeys = r.some([]string{"dom", "room@"}, 1)
		}
		if r.chance(30) {
			s.Accept = []string{"default"}
		}
	case policy.Extensions:
		s.Keys = r.some([]string{"ext", "c"}, 1)
		if r.chance(40) {
			s.ListKeys = []string{"ext"}
		}
	}
	return s
}

// policy returns a policy that Compile accepts.
func (r source) policy() (policy.Policy, *Filter) {
	for {
		var p policy.Policy
		if r.chance(20) {
			p.Require = r.some(permissions, 1)
		}
		if r.chance(30) {
			p.Events = r.some(events, 1)
		}
		if r.chance(40) {
			p.Keys = r.some(payloadKeys, 1)
		}
		if r.chance(60) {
			p.KeyPermissions = r.rules(payloadKeys)
		}
		if r.chance(30) {
			p.TopicPermissions = r.rules(topics)
		}
		if r.chance(80) {
			for _, permission := range r.some(permissions, 0) {
				s := r.scope()
				s.Permission = permission
				p.Scopes = append(p.Scopes, s)
			}
			if r.chance(70) {
				p.Scopes = append(p.Scopes, r.scope())
			}
		}
		switch r.IntN(5) {
		case 0:
			p.Absent.Pass = true
		case 1:
			p.Absent.Events = r.some(events, 1)
		case 2:
			p.Absent.Topics = r.some(topics, 1)
		}
		if r.chance(20) {
			p.Absent.Lists = r.some(topics, 1)
		}
		if f, err := Compile(p); err == nil {
			return p, f
		}
	}
}

func (r source) subject() Subject {
	s := Subject{Permissions: r.some(permissions, 0), Domain: r.one(domains), Extensions: r.some(extensions, 0)}
	if r.chance(10) {
		s.Domain = ""
	}
	return s
}

func (r source) value() string {
	return r.one([]string{`1.50`, `"x"`, `null`, `""`, `{"a":[1,"}"]}`, `[]`, `1E+3`, `"\"\u00e9\\"`})
}

func (r source) object(keys []string) string {
	members := []string{}
	for _, i := range r.Perm(len(keys))[:r.IntN(len(keys)+1)] {
		key, value := keys[i], r.value()
		switch {
		case r.chance(20):
		case key == EventKey:
			value = `"` + r.one(events) + `"`
		case key == "room":
			value = `"` + r.one([]string{"r@", "x@y@", ""}) + r.one(domains) + `"`
		case key == "ext" || key == "c":
			value = `"` + r.one(extensions) + `"`
		case key == "dom" || key == "b":
			value = `"` + r.one(domains) + `"`
		}
		if r.chance(10) {
			key = fmt.Sprintf(`\u%04x`, key[0]) + key[1:]
		}
		members = append(members, r.space()+`"`+key+`"`+r.space()+":"+r.space()+value+r.space())
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (r source) space() string { return r.one([]string{"", "", "", " ", "\n\t"}) }

func (r source) payload() string {
	switch r.IntN(10) {
	case 0:
		return r.value()
	case 1, 2:
		var elements []string
		for range r.IntN(4) {
			elements = append(elements, r.object([]string{"dom", "room", "ext", "a"}))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	}
	return r.space() + r.object(payloadKeys) + r.space()
}

func TestClassResultEqualsNaiveFilter(t *testing.T) {
	r := newSource(1)
	delivered := 0
	for range 5000 {
		p, f := r.policy()
		s, topic, payload := r.subject(), r.one(topics), r.payload()
		in, err := decode(payload)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		want, ok := naive{p, s, topic}.result(in)
		out := applied(f, s, topic, payload)
		if !ok {
			want = nil
		}
		var got any
		if out != dropped {
			delivered++
			if got, err = decode(out); err != nil {
				t.Fatalf("%s became %s: %v", payload, out, err)
			}
		}
		if ok != (out != dropped) || !reflect.DeepEqual(got, want) {
			t.Fatalf("policy %+v\nsubject %+v\ntopic %s, payload %s\ngot %s\nwant %v %v", p, s, topic, payload, out, ok, want)
		}
	}
	if delivered < 1000 {
		t.Errorf("only %d messages were delivered: the generator tests nothing", delivered)
	}
}

func TestEqualClassesGetTheSame(t *testing.T) {
	r := newSource(2)
	shared := 0
	for range 5000 {
		p, f := r.policy()
		a, b := r.subject(), r.subject()
		if f.Class(a) != f.Class(b) {
			continue
		}
		shared++
		for range 5 {
			topic, payload := r.one(topics), r.payload()
			in, _ := decode(payload)
			got, gotOK := naive{p, a, topic}.result(in)
			want, wantOK := naive{p, b, topic}.result(in)
			if gotOK != wantOK || gotOK && !reflect.DeepEqual(got, want) {
				t.Fatalf("policy %+v\n%+v and\n%+v share a class, but differ in %s", p, a, b, payload)
			}
		}
	}
	if shared < 300 {
		t.Errorf("only %d pairs shared a class", shared)
	}
}

func TestKeyWithoutItsPermissionNeverAppears(t *testing.T) {
	r := newSource(3)
	for range 2500 {
		p, f := r.policy()
		s, payload := r.subject(), r.payload()
		out := applied(f, s, r.one(topics), payload)
		if out == dropped {
			continue
		}
		v, _ := decode(out)
		object, _ := v.(map[string]any)
		for key := range object {
			if !(naive{Policy: p, s: s}).sees(key) {
				t.Fatalf("policy %+v\nsubject %+v\n%s became %s with %s", p, s, payload, out, key)
			}
		}
	}
}

func TestForeignDomainNeverArrives(t *testing.T) {
	r := newSource(4)
	foreign, own := 0, 0
	for range 2500 {
		p, _ := r.policy()
		p.Scopes = []policy.Scope{{To: policy.Domain, Keys: []string{"dom"}, ListKeys: []string{"dom"}}}
		f, err := Compile(p)
		if err != nil {
			continue
		}
		s := r.subject()
		s.Domain = "one.example"
		// Twice in one object, as a reader may take either occurrence.
		a, b := r.one(domains), r.one(domains)
		element := fmt.Sprintf(`{"dom":"%s","a":1,"dom":"%s"}`, a, b)
		for _, payload := range []string{element, `[` + element + `]`} {
			out := applied(f, s, r.one(topics), payload)
			if strings.Contains(out, "two.example") || a != s.Domain && b != s.Domain && strings.Contains(out, `"a"`) {
				t.Fatalf("policy %+v\nsubject %+v got %s of %s", p, s, out, payload)
			}
			if out == dropped {
				foreign++
			} else {
				own++
			}
		}
	}
	if foreign < 500 || own < 50 {
		t.Errorf("%d dropped, %d delivered: the generator tests nothing", foreign, own)
	}
}

func TestPermissionNeverRemovesKeyWithinScope(t *testing.T) {
	r := newSource(5)
	compared := 0
	for range 2500 {
		p, f := r.policy()
		less := r.subject()
		more := less
		more.Permissions = slices.Compact(slices.Sorted(slices.Values(append(r.some(permissions, 1), less.Permissions...))))
		if i, _ := f.admit(more); i < 0 || !reflect.DeepEqual(naive{Policy: p, s: less}.scope(), naive{Policy: p, s: more}.scope()) {
			continue
		}
		topic, payload := r.one(topics), r.payload()
		before, after := applied(f, less, topic, payload), applied(f, more, topic, payload)
		if before == dropped {
			continue
		}
		compared++
		if after == dropped {
			t.Fatalf("policy %+v\n%v sees %s, %v nothing", p, less.Permissions, before, more.Permissions)
		}
		v, _ := decode(before)
		w, _ := decode(after)
		old, _ := v.(map[string]any)
		now, _ := w.(map[string]any)
		for key := range old {
			if _, found := now[key]; !found {
				t.Fatalf("policy %+v\n%v sees %s, %v only %s", p, less.Permissions, before, more.Permissions, after)
			}
		}
	}
	if compared < 400 {
		t.Errorf("only %d compared", compared)
	}
}

func TestOrderOfSubjectsChangesNothing(t *testing.T) {
	r := newSource(6)
	for range 300 {
		_, f := r.policy()
		topic, payload := r.one(topics), []byte(r.payload())
		original := bytes.Clone(payload)
		subjects := make([]Subject, 8)
		alone := make([]string, len(subjects))
		for i := range subjects {
			subjects[i] = r.subject()
			alone[i] = applied(f, subjects[i], topic, string(payload))
		}
		buffer := make([]byte, 0, 16)
		for _, i := range r.Perm(len(subjects)) {
			out, v := f.Apply(f.Class(subjects[i]), topic, payload, buffer)
			got := string(out)
			if v == Drop {
				got = dropped
			}
			if got != alone[i] {
				t.Fatalf("alone %s, among others %s", alone[i], got)
			}
		}
		if !bytes.Equal(payload, original) {
			t.Fatalf("%s was changed to %s", original, payload)
		}
	}
}

func TestExplanationEqualsResult(t *testing.T) {
	r := newSource(7)
	for range 2500 {
		p, f := r.policy()
		s, topic, payload := r.subject(), r.one(topics), r.payload()
		out, v := f.Apply(f.Class(s), topic, []byte(payload), nil)
		e := f.Explain(s, topic, []byte(payload))
		if e.Verdict != v || !bytes.Equal(e.Payload, out) || (e.Rule == "") != (v == Deliver) {
			t.Fatalf("policy %+v\nsubject %+v\n%s: %s %s, explained as %+v", p, s, payload, v, out, e)
		}
		kept := 0
		for _, field := range e.Fields {
			if field.Kept {
				kept++
			} else if v == Deliver && field.Rule == "" {
				t.Fatalf("policy %+v\n%s: no rule removed %s", p, payload, field.Key)
			}
		}
		left, _ := decode(string(out))
		switch left := left.(type) {
		case map[string]any:
			if kept != len(left) {
				t.Fatalf("%s: %d fields kept, got %s", payload, kept, out)
			}
		case []any:
			if kept != len(left) {
				t.Fatalf("%s: %d elements kept, got %s", payload, kept, out)
			}
		}
	}
}
