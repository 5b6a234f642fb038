package eventsocket

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"strowger/system/fusionpbx/switchsim"
)

// listening returns a client with a session that needs no switch.
func listening(t testing.TB) (*Client, *session) {
	t.Helper()
	c, err := New(Options{Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	c.session = newSession(c, nil)
	return c, c.session
}

func subscribeTo(t testing.TB, c *Client, keep func(string) bool) *Subscription {
	t.Helper()
	s, err := c.SubscribeTo("test", keep, Match("Event-Name", "A"))
	if err != nil {
		t.Fatal(err)
	}
	s.session, s.ready = c.session, true
	return s
}

func only(header string) func(string) bool {
	return func(name string) bool { return strings.EqualFold(name, header) }
}

// headers returns the headers of the last event that waits.
func headers(t testing.TB, s *Subscription) string {
	t.Helper()
	text := ""
	for {
		d, ok, err := s.take()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return text
		}
		if d.Kind == KindEvent {
			text = ""
			for name, value := range d.Event.All() {
				text += name + "=" + value + " "
			}
		}
	}
}

// TestNeededHeaders has subscriptions come and go. An event has the headers that those of that moment need.
func TestNeededHeaders(t *testing.T) {
	c, session := listening(t)
	event := func() {
		t.Helper()
		if err := session.event(message{kind: kindEvent, body: []byte("Event-Name: A\nOne: 1%20\ntwo: 2\nThree: Zo%EB\nContent-Length: 2\n\nok")}); err != nil {
			t.Fatal(err)
		}
	}
	first := subscribeTo(t, c, only("ONE"))
	event()
	if got, want := headers(t, first), "Event-Name=A One=1  "; got != want {
		t.Errorf("one needs a header: %q, want %q", got, want)
	}
	second := subscribeTo(t, c, only("Two"))
	event()
	if a, b, want := headers(t, first), headers(t, second), "Event-Name=A One=1  two=2 "; a != want || b != want {
		t.Errorf("each needs one: %q and %q, want %q", a, b, want)
	}
	first.Close()
	event()
	if got, want := headers(t, second), "Event-Name=A two=2 "; got != want {
		t.Errorf("one has gone: %q, want %q", got, want)
	}
	all := subscribeTo(t, c, nil)
	event()
	if got, want := headers(t, all), "Event-Name=A One=1  two=2 Three=Zoë Content-Length=2 "; got != want {
		t.Errorf("one needs all: %q, want %q", got, want)
	}
}

// TestNeedsChangeDuringAnEvent subscribes while an event is parsed: the event is parsed again, so that nobody gets one
// without the headers that it needs.
func TestNeedsChangeDuringAnEvent(t *testing.T) {
	c, session := listening(t)
	var second *Subscription
	joined := make(chan struct{})
	first := subscribeTo(t, c, func(name string) bool {
		if name == "One" && second == nil {
			second = &Subscription{}
			go func() {
				defer close(joined)
				second = subscribeTo(t, c, only("Two"))
			}()
			<-joined
		}
		return false
	})
	if err := session.event(message{kind: kindEvent, body: []byte("Event-Name: A\nOne: 1\nTwo: 2\n\n")}); err != nil {
		t.Fatal(err)
	}
	if a, b, want := headers(t, first), headers(t, second), "Event-Name=A Two=2 "; a != want || b != want {
		t.Errorf("%q and %q, want %q", a, b, want)
	}
}

// TestNamesAreBounded has a switch make up names of headers.
func TestNamesAreBounded(t *testing.T) {
	var p eventParser
	p.maxHeaders = 10
	for i := range 2 * maxNames {
		event, err := p.parse(fmt.Appendf(nil, "Event-Name: A\nX-%d: %d\n%s: 1\n\n", i, i, strings.Repeat("y", longestOne+1)), nil)
		if err != nil || event.Get(fmt.Sprintf("x-%d", i)) != fmt.Sprint(i) || event.Len() != 3 {
			t.Fatalf("event %d: %v, %v", i, event, err)
		}
	}
	if n := len(p.names.known); n > maxNames {
		t.Errorf("%d names are remembered", n)
	}
	for _, name := range p.names.known {
		if next := name.next; next != nil && p.names.known[next.raw] != next {
			t.Errorf("%q, which is not remembered, is kept as the one after %q", next.raw, name.raw)
		}
	}
}

// TestNamesInAnotherOrder parses an event after another one whose names are almost the same, or come in another order. It is
// the same as from a parser that has seen nothing.
func TestNamesInAnotherOrder(t *testing.T) {
	texts := []string{
		"A: 1\nB: 2\nC: 3\n\n", "A: 1\nC: 3\nB: 2\n\n", "A: 1\nA: 2\nB: 3\nB: 4\n\n", "A : 1\n B\t: 2\nC:3\n\n", "A: 1\nBB: 2\nC: 3\n\n", "AB: 1\nB: 2\n\n",
		"A: 1\nB\nC: 3\n\n", "A: 1\n: 2\nC: 3\n\n", "A::1\nB:C:2\n\n", "a: 1\nb: 2\nc: 3\n\n", "A: 1\r\nB: 2\r\n\r\n", "A:\nB:", "A: 1\nB", "B: 2\nA: %41%\n",
		"Content-Length: 2\nB: 2\n\nok", "Content-Length : 1\ncontent-length:2\n\nok", "A: 1\n" + strings.Repeat("y", longestOne+1) + ": 1\nB: 2\n\n", "\xeb: \xeb\nA\xc3: \xa9\n\n",
	}
	of := &interest{keeps: []func(string) bool{func(name string) bool { return name != "C" }}}
	for _, first := range texts {
		for _, second := range texts {
			used, fresh := eventParser{maxHeaders: 10}, eventParser{maxHeaders: 10}
			if _, err := used.parse([]byte(first), of); err != nil {
				t.Fatal(err)
			}
			got, err := used.parse([]byte(second), of)
			if err != nil {
				t.Fatal(err)
			}
			want, err := fresh.parse([]byte(second), of)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q after %q: %+v, want %+v, %v", second, first, got, want, err)
			}
		}
	}
}

// BenchmarkParse parses the events of a call, with all headers and with as many as services need.
func BenchmarkParse(b *testing.B) {
	recording, err := switchsim.Load(os.DirFS("../../../testdata/fusionpbx/corpus"), "calls-hold")
	if err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	for _, e := range recording.Events {
		_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
		bodies = append(bodies, body)
	}
	some := func(name string) bool { return strings.HasPrefix(name, "Ca") || strings.HasPrefix(name, "Channel-") }
	for name, of := range map[string]*interest{"all": {all: true}, "needed": {keeps: []func(string) bool{some}}} {
		b.Run(name, func(b *testing.B) {
			p := eventParser{maxHeaders: 4096}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := p.parse(bodies[i%len(bodies)], of); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
