package actors

import (
	"fmt"
	"testing"
)

func TestRepliesAreFiltered(t *testing.T) {
	w := under(t, salaries)
	s := w.service("s")
	ask := func(p *peer, id string) string {
		p.writef(`{"service":"s","topic":"get","request_id":%q}`, id)
		return s.asked(fmt.Sprintf(` s/get #%q null`, id))
	}
	a, root := w.user("a.x"), w.user("b.x", "all", "see_salary")
	idA, idRoot := ask(a, "1"), ask(root, "1")
	s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"a.x","salary":1}}`, idA)
	s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"a.x","salary":1}}`, idRoot)
	a.gets(` s/got #"1" {"d":"a.x"}`)
	root.gets(` s/got #"1" {"d":"a.x","salary":1}`)
	w.wantDead(Filtered, 0)

	// What is dropped is made up for once.
	ask(a, "2")
	for range 3 {
		s.writef(`{"service":"s","topic":"got","request_id":"2","resource_id":%q,"payload":{"d":"b.x"}}`, idA)
	}
	s.writef(`{"service":"s","topic":"got","request_id":"2","resource_id":%q,"payload":{"d":"a.x"}}`, idA)
	a.gets(`403 s/got #"2" null`, ` s/got #"2" {"d":"a.x"}`)
	w.wantDead(Filtered, 3)

	// Who has an answer already gets no 403 behind it.
	ask(a, "2b")
	s.writef(`{"service":"s","topic":"got","request_id":"2b","resource_id":%q,"payload":{"d":"a.x"}}`, idA)
	s.writef(`{"service":"s","topic":"got","request_id":"2b","resource_id":%q,"payload":{"d":"b.x"}}`, idA)
	w.settleName(s, "s")
	a.gets(` s/got #"2b" {"d":"a.x"}`)
	a.silent()
	w.wantDead(Filtered, 4)

	// One that nobody waits for is not.
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s.writef(`{"service":"s","topic":"got","request_id":"3","resource_id":%q,"payload":{"d":"b.x"}}`, idA)
	w.settleName(s, "s")
	a.silent()
	w.wantDead(Filtered, 5)
}

// Of rows that come in any number the foreign ones leave no trace: not even their number shows.
func TestStreamedRepliesAreDroppedSilently(t *testing.T) {
	w := under(t, `s_service: {scopes: [{to: domain, keys: [d]}], streams: [row]}`)
	s, a := w.service("s"), w.user("a.x")
	a.writef(`{"service":"s","topic":"rows","request_id":"1"}`)
	id := s.asked(` s/rows #"1" null`)
	for _, domain := range []string{"b.x", "a.x", "b.x", "b.x", "a.x"} {
		s.writef(`{"service":"s","topic":"row","request_id":"1","resource_id":%q,"payload":{"d":%q}}`, id, domain)
	}
	w.settleName(s, "s")
	a.gets(` s/row #"1" {"d":"a.x"}`, ` s/row #"1" {"d":"a.x"}`)
	a.silent()
	w.wantDead(Filtered, 3)
}

func TestRequestsAreJudged(t *testing.T) {
	w := under(t, `
s_service:
  scopes: [{permission: root, to: all}, {to: domain, keys: [d]}]
  requests: {kill: [may_kill]}
  tenant_keys: [d]
`)
	s := w.service("s")
	a, root := w.user("a.x", "may_kill"), w.user("a.x", "root")
	a.writef(`{"service":"s","topic":"kill","request_id":"1","payload":{"d":"a.x"}}`)
	s.asked(` s/kill #"1" {"d":"a.x"}`)
	a.writef(`{"service":"s","topic":"kill","request_id":"2","payload":{"d":"b.x"}}`)
	a.gets(`403 s/kill #"2" null`)
	a.writef(`{"service":"s","topic":["kill"],"request_id":3}`)
	a.gets(`403 s/ #3 null`)
	root.writef(`{"service":"s","topic":"kill","request_id":"4"}`)
	root.gets(`403 s/kill #"4" null`)
	root.writef(`{"service":"s","topic":"see","request_id":"5","payload":{"d":"b.x"}}`)
	s.asked(` s/see #"5" {"d":"b.x"}`)
	w.settleName(a, "s")
	s.silent()
	w.wantDead(Forbidden, 3)
	if n := w.deps.Counters.Requests.Load(); n != 2 {
		t.Errorf("%d requests counted, want 2", n)
	}
}

// Of several instances only those get a request whose policies allow it.
func TestRequestToInstancesOfTwoClasses(t *testing.T) {
	w := under(t, `{open: {scopes: [{to: all}]}, guarded: {requests: {t: [p]}}}`)
	guarded := w.bearer(&Credentials{Role: Service, Service: "s", Class: "guarded"})
	open := w.bearer(&Credentials{Role: Service, Service: "s", Class: "open"})
	a, b := w.client(), w.bearer(&Credentials{Role: Client, Permissions: []string{"p"}})
	a.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	open.asked(` s/t #"1" null`)
	b.writef(`{"service":"s","topic":"t","request_id":"2"}`)
	open.asked(` s/t #"2" null`)
	guarded.asked(` s/t #"2" null`)
	w.settleName(a, "s")
	guarded.silent()
}
