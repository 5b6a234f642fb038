package actors

import (
	"fmt"
	"log/slog"
	"testing"
)

// logged is a world with policies and what its log says.
func logged(t *testing.T, text string) (*world, *log) {
	lines := new(log)
	w := newWorld(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
	w.govern(text)
	return w, lines
}

// A request whose asker could never get an answer is refused before a service sees it.
func TestRequestThatGetsNoAnswer(t *testing.T) {
	for name, policy := range map[string]string{
		"domain":     `s_service: {scopes: [{to: domain, keys: [d]}]}`,
		"lists":      `s_service: {scopes: [{to: domain, keys: [d], list_keys: [d]}]}`,
		"extensions": `s_service: {scopes: [{to: extensions, keys: [e]}]}`,
		"events":     `s_service: {scopes: [{to: domain, keys: [d]}], absent: {events: [HEARTBEAT]}}`,
		"topic":      `s_service: {topic_permissions: {t: [see]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w, lines := logged(t, policy)
			s, p := w.service("s"), w.user("")
			for i := range 3 {
				p.writef(`{"service":"s","topic":"t","request_id":%q}`, fmt.Sprint(i))
				p.gets(fmt.Sprintf(`403 s/t #"%d" null`, i))
			}
			w.settleName(p, "s")
			s.silent()
			w.wantDead(Forbidden, 3)
			w.wantDead(Filtered, 0)
			if n := lines.count("request refused by policy"); n != 1 {
				t.Errorf("the log says %d times why, want once:\n%s", n, lines.String())
			}
			if lines.count("no answer could reach") != 1 || lines.count("reply dropped") != 0 {
				t.Errorf("the log does not say why:\n%s", lines.String())
			}
		})
	}
}

// The 403 in place of a reply is another one: the request was carried out.
func TestDroppedReplyIsLogged(t *testing.T) {
	w, lines := logged(t, salaries)
	s, p := w.service("s"), w.user("a.x")
	for range 3 {
		p.writef(`{"service":"s","topic":"get","request_id":"1"}`)
		id := s.asked(` s/get #"1" null`)
		s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"b.x"}}`, id)
		p.gets(`403 s/got #"1" null`)
	}
	w.wantDead(Forbidden, 0)
	w.wantDead(Filtered, 3)
	if lines.count("reply dropped by policy") != 1 || lines.count("does not match") != 1 || lines.count("request refused") != 0 {
		t.Errorf("the log says:\n%s", lines.String())
	}
}

// A reload neither repeats that a service has no policy nor hides that it has none any more.
func TestServiceWithoutPolicyAfterReload(t *testing.T) {
	w, lines := logged(t, `other: {require: [x]}`)
	s := w.service("s")
	say := func() {
		s.writef(`{"service":"s","payload":1}`)
		w.settleName(s, "s")
	}
	want := func(n int) {
		t.Helper()
		if got := lines.count("service without a policy"); got != n {
			t.Errorf("the log says it %d times, want %d:\n%s", got, n, lines.String())
		}
	}
	say()
	want(1)
	w.govern(`other: {require: [y]}`)
	say()
	want(1)
	w.govern(`s: {require: [x]}`)
	say()
	want(1)
	w.govern(`other: {require: [x]}`)
	p := w.user("a.x")
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	p.gets(`403 s/t #"1" null`)
	want(2)
	say()
	want(2)
}

func TestNoticesAreBounded(t *testing.T) {
	var said notices
	for i := range 3 * mostNotices {
		said.again(notice{name: fmt.Sprint(i)})
	}
	if n := len(said.said); n > mostNotices {
		t.Errorf("%d are remembered, want %d at most", n, mostNotices)
	}
	if !said.again(notice{name: fmt.Sprint(3*mostNotices - 1)}) {
		t.Error("the last one is forgotten")
	}
}
