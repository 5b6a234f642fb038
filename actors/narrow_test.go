package actors

import (
	"fmt"
	"strings"
	"testing"

	"strowger/actors/refusals"
)

// asking returns a client that asked for what payload says, and the payload of its 200.
func (w *world) asking(c *Credentials, payload string) (*peer, string) {
	w.t.Helper()
	p := w.connect()
	p.gets(hello)
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":%s}`, w.token(c), payload)
	m := p.next()
	if string(m.StatusCode) != "200" {
		w.t.Fatalf("got %s", line(m))
	}
	return p, string(m.Payload)
}

const guarded = `s_service: {scopes: [{to: domain, keys: [d]}], key_permissions: {secret: [top]}, history: {messages: 100}}`

// A client gets what it asked for of what the policy gives it. What the policy removes is not there for it to ask for, so
// it cannot find out.
func TestNarrowed(t *testing.T) {
	w := under(t, guarded)
	s := w.service("s")
	topics, said := w.asking(watching("s"), `{"filters":{"s":{"topics":["news"]}}}`)
	if said != `{"filters":{"s":true}}` {
		t.Errorf("the 200 says %s", said)
	}
	keys, _ := w.asking(watching("s"), `{"filters":{"s":{"topics":["news","old"],"keys":{"k":["a",7]}}}}`)
	same, _ := w.asking(watching("s"), `{"filters":{"s":{"keys":{"k":[7,"a"]},"topics":["old","news"]}}}`)
	prying, _ := w.asking(watching("s"), `{"filters":{"s":{"keys":{"secret":1}}}}`)
	foreign, _ := w.asking(watching("s"), `{"filters":{"s":{"keys":{"d":"b.example"}}}}`)
	say := func(topic, payload string) { s.writef(`{"service":"s","topic":%q,"payload":%s}`, topic, payload) }
	say("news", `{"d":"a.example","k":"a","secret":1}`)
	say("other", `{"d":"a.example","k":"a"}`)
	say("old", `{"d":"a.example","k":7}`)
	say("news", `{"d":"a.example","k":"7"}`)
	say("news", `{"d":"b.example","k":"a"}`)
	topics.gets(` s/news #"" {"d":"a.example","k":"a"}`, ` s/news #"" {"d":"a.example","k":"7"}`)
	for _, p := range []*peer{keys, same} {
		p.gets(` s/news #"" {"d":"a.example","k":"a"}`, ` s/old #"" {"d":"a.example","k":7}`)
	}
	w.settleName(s, "s")
	prying.silent()
	foreign.silent()
	if n := w.deps.Counters.Narrowed.Load(); n != 2+2+2+4+4 {
		t.Errorf("%d counted", n)
	}
	// Replies come whatever the client asked for.
	topics.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	s.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q,"payload":{"d":"a.example"}}`, id)
	topics.gets(` s/x #"1" {"d":"a.example"}`)
	// Nothing is left of those who go.
	for _, p := range []*peer{topics, keys, same, prying, foreign} {
		w.gone(p)
	}
}

// What is replayed is what the client asked for, and the positions go on.
func TestNarrowedReplay(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}], history: {messages: 100}}`)
	s := w.service("s")
	const wish = `{"history":{"s":%s},"filters":{"s":{"keys":{"k":1}}}}`
	p, _ := w.asking(watching("s"), fmt.Sprintf(wish, "null"))
	say := func(k, n int) { s.writef(`{"service":"s","payload":{"k":%d,"n":%d}}`, k, n) }
	say(1, 1)
	payload, at := p.hears()
	if payload != `{"k":1,"n":1}` || at.Offset != 1 {
		t.Fatalf("got %s at %v", payload, at)
	}
	w.gone(p)
	for n := 2; n <= 7; n++ {
		say(n%3, n)
	}
	w.settleName(s, "s")
	back, said := w.asking(watching("s"), fmt.Sprintf(wish, fmt.Sprintf(`{"epoch":%q,"offset":1}`, at.Epoch)))
	if !strings.Contains(said, `"recovered":true`) {
		t.Fatalf("the 200 says %s", said)
	}
	say(2, 8)
	say(1, 9)
	for _, want := range []int64{4, 7, 9} {
		if payload, at := back.hears(); at.Offset != want || payload != fmt.Sprintf(`{"k":1,"n":%d}`, want) {
			t.Errorf("got %s at %v, want %d", payload, at, want)
		}
	}
}

// A filter that is not good, or one too many, is as if it were not there, and the client is told why.
func TestFiltersThatAreNotUsed(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: all}]}`)
	s := w.service("s")
	topics := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("%q", fmt.Sprint("t", i)))
		}
		return `{"topics":[` + strings.Join(names, ",") + `]}`
	}
	for wish, want := range map[string]string{
		`{"s":5}`:                         `{"s":"not an object with topics, a list of texts, or keys, an object"}`,
		`{"s":{"keys":{"k":[{}]}}}`:       `{"s":"key \"k\" takes texts, numbers, true, false and null"}`,
		`{"z":{"topics":["t"]}}`:          `{"z":"not subscribed"}`,
		`{}`:                              `{}`,
		`{"s":` + topics(65) + `}`:        `{"s":"the filters name more than 64 topics and values"}`,
		`{"a":` + topics(64) + `,"s":{}}`: `{"a":true,"s":"names neither a topic nor a key"}`,
		`{"a":` + topics(64) + `,"s":` + topics(1) + `}`: `{"a":true,"s":"the filters name more than 64 topics and values"}`,
	} {
		p, said := w.asking(watching("s", "a"), `{"filters":`+wish+`}`)
		if said != `{"filters":`+want+`}` {
			t.Errorf("%s: the 200 says %s, want %s", wish, said, want)
		}
		s.writef(`{"service":"s","topic":"z","payload":1}`)
		p.gets(` s/z #"" 1`)
		w.gone(p)
	}
	if n := w.deps.Refusals().Count(refusals.FilterValues); n != 2 {
		t.Errorf("%d counted as too many, want 2", n)
	}
	p, said := w.asking(watching("s", "a"), `{"filters":{"s":`+topics(64)+`}}`)
	if said != `{"filters":{"s":true}}` {
		t.Errorf("at the bound the 200 says %s", said)
	}
	s.writef(`{"service":"s","topic":"z","payload":1}`)
	s.writef(`{"service":"s","topic":"t63","payload":2}`)
	p.gets(` s/t63 #"" 2`)
}
