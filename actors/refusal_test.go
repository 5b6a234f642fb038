package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/actors/refusals"
)

// logged is a world with policies and what its log says.
func logged(t *testing.T, text string) (*world, *log) {
	lines := new(log)
	w := newWorld(t, func(d *Deps) {
		d.Log = slog.New(slog.NewTextHandler(lines, nil))
		d.refusals = refusals.New(d.Log, d.Clock, d.refusalBounds)
	})
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

// The log names each cause once a minute and counts the others: neither 403 hides the other, and neither
// is silent for ever.
func TestCausesOf403EachMinute(t *testing.T) {
	w, lines := logged(t, salaries+"\nshut: {require: [key]}")
	s, _, p := w.service("s"), w.service("shut"), w.user("a.x")
	for range 2 {
		for range 3 {
			p.writef(`{"service":"s","topic":"get","request_id":"1"}`)
			id := s.asked(` s/get #"1" null`)
			s.writef(`{"service":"s","topic":"got","request_id":"1","resource_id":%q,"payload":{"d":"b.x"}}`, id)
			p.gets(`403 s/got #"1" null`)
			p.writef(`{"service":"shut","topic":"get","request_id":"2"}`)
			p.gets(`403 shut/get #"2" null`)
		}
		w.clock.Advance(time.Minute)
	}
	w.deps.Refusals().Sweep()
	for text, want := range map[string]int{
		`msg="reply dropped by policy: the request was carried out and answered 403" cause=reply_dropped`: 3,
		`msg="request refused by policy: the service did not see it" cause=request_refused`:               3,
		"suppressed=2":                    2, // of the first minute, on the first lines of the second
		"suppressed=1":                    2, // of the second, on lines at its end
		"setting=policies service=s ":     3,
		`rule="require: has none of key"`: 3,
		"does not match":                  3,
	} {
		if got := lines.count(text); got != want {
			t.Errorf("%d lines with %s, want %d", got, text, want)
		}
	}
	if t.Failed() {
		t.Log(lines.String())
	}
	for cause, want := range map[refusals.Cause]int64{refusals.ReplyDropped: 6, refusals.RequestRefused: 6} {
		if got := w.deps.Refusals().Count(cause); got != want {
			t.Errorf("%s: counted %d, want %d", cause, got, want)
		}
	}
}

// So it is with what a service says under a name that is not its own.
func TestForeignNameEachMinute(t *testing.T) {
	w, lines := logged(t, `others: {require: [key]}`)
	s := w.service("s")
	w.client("other")
	for range 2 {
		for range 3 {
			s.writef(`{"service":"other","payload":1}`)
		}
		w.settleName(s, "s")
		w.clock.Advance(time.Minute)
	}
	if got := lines.count("cause=foreign_name"); got != 2 || lines.count("setting=services.classes") != 2 {
		t.Errorf("%d lines, want 2:\n%s", got, lines.String())
	}
	w.wantDead(ForeignName, 6)
}

// What tells the lines apart must not be a text that a peer invents.
func TestInventedNamesShareALine(t *testing.T) {
	w, lines := logged(t, `others: {require: [key]}`)
	s := w.service("s")
	for i := range 1000 {
		s.writef(`{"service":"invented%d","payload":1}`, i)
	}
	w.settleName(s, "s")
	if got := lines.count("cause=foreign_name"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, lines.String())
	}
	w.wantDead(ForeignName, 1000)
}

// The kind of a refused token is the constant at the bottom of the error.
func TestKindOfError(t *testing.T) {
	bottom := errors.New("malformed")
	for name, err := range map[string]error{
		"itself":  bottom,
		"wrapped": fmt.Errorf("claim peer's text: %w: field %q", bottom, "peer's text"),
		"two":     fmt.Errorf("claim x: %w", fmt.Errorf("%w: offset 7: %w", bottom, errors.New("peer's text"))),
		"joined":  errors.Join(bottom, errors.New("peer's text")),
	} {
		t.Run(name, func(t *testing.T) {
			if got := kind(err); got != "malformed" {
				t.Errorf("kind %q", got)
			}
		})
	}
}

// A line shows no more of a name than it can hold, however long the token makes it.
func TestNamesAreClipped(t *testing.T) {
	w, lines := logged(t, `others: {require: [key]}`)
	long := strings.Repeat("n", 100_000)
	p := w.bearer(&Credentials{Role: Service, Service: long, Class: long, DomainName: long})
	w.settleName(p, long)
	p.leave()
	w.ended(p.pid)
	if n := len(lines.String()); n > 5000 || lines.count("msg=authenticated") != 1 || lines.count(`msg="service up"`) != 1 {
		t.Errorf("%d bytes: %s", n, lines.String()[:min(n, 5000)])
	}
}

// A broadcast that nobody gets because it lacks the key that its policy goes by is named once a minute. One that is
// another tenant's is not, nor is one that somebody gets.
func TestUnheardBroadcasts(t *testing.T) {
	w, lines := logged(t, "s: {scopes: [{permission: all, to: all}, {to: domain, keys: [d]}]}\nevents: {scopes: [{to: domain, keys: [d]}], events: [GO]}")
	s, events := w.service("s"), w.service("events")
	say := func(payload string) {
		w.clock.Advance(time.Second)
		s.writef(`{"service":"s","topic":"told","payload":%s}`, payload)
		events.writef(`{"service":"events","topic":"told","payload":%s}`, payload)
		w.settleName(s, "s")
		w.settleName(events, "events")
	}
	say(`{"domain":"a.x"}`) // nobody watches
	p := w.bearer(&Credentials{Role: Client, Services: []string{"s", "events"}, DomainName: "a.x"})
	say(`{"d":"b.x","event_name":"GO"}`)
	if got := lines.count("cause=broadcast_unheard"); got != 0 {
		t.Errorf("%d lines, want none:\n%s", got, lines.String())
	}
	for range 3 {
		say(`{"domain":"a.x"}`)
	}
	for _, want := range []string{
		`topic=told rule="scopes[1] to domain: the key that tells whose it is is absent"`,
		`topic=told rule="events: event_name is absent"`,
	} {
		if got := lines.count(want); got != 1 {
			t.Errorf("%d lines with %s, want 1:\n%s", got, want, lines.String())
		}
	}
	say(`{"d":"a.x","event_name":"GO"}`)
	got := []string{string(p.next().ServiceName), string(p.next().ServiceName)}
	if slices.Sort(got); !slices.Equal(got, []string{`"events"`, `"s"`}) {
		t.Errorf("messages of %v, want one of each", got)
	}
}

// What a helper says under a name that nobody offers or watches is named.
func TestUnknownNames(t *testing.T) {
	w, lines := logged(t, `texts_service: {require: [key]}`)
	h := w.bearer(&Credentials{Role: Service, Service: "push", Class: "texts_service"})
	for range 3 {
		h.writef(`{"service":"text","payload":1}`)
	}
	w.settleName(h, "push")
	if got := lines.count("cause=unknown_name"); got != 1 || lines.count("name=text class=texts_service") != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, lines.String())
	}
	w.wantDead(UnknownService, 3)
}
