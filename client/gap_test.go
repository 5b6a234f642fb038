package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/client/clienttest"
)

// grant says that the token is good, and tells what the client asked for.
func grant(p *clienttest.Peer, payload clienttest.Object) {
	p.Send(clienttest.Object{"service_name": "authentication", "status_code": 200, "request_id": "", "topic": "authenticated", "payload": payload})
}

// recorded sends a broadcast with its position.
func recorded(p *clienttest.Peer, service, epoch string, offset int) {
	p.Send(clienttest.Object{"service_name": service, "request_id": "", "topic": "t", "payload": offset, "epoch": epoch, "offset": offset})
}

// told is what a client tells of broadcasts and gaps, in one order for each teller.
type told struct {
	messages chan string
	gaps     chan string
}

func newTold() *told { return &told{make(chan string, 100), make(chan string, 100)} }

func (h *told) listen(m Message) {
	text := fmt.Sprintf("%s %s", m.Service, m.Payload)
	if m.Gap || m.Missed > 0 {
		text += fmt.Sprintf(" gap %v %d", m.Gap, m.Missed)
	}
	h.messages <- text
}

func (h *told) gap(g Gap) { h.gaps <- fmt.Sprintf("%s %d", g.Service, g.Missed) }

// wants compares what comes next with what should.
func wants(t *testing.T, from <-chan string, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-from:
			if got != w {
				t.Errorf("got %q, want %q", got, w)
			}
		case <-time.After(clienttest.Patience):
			t.Fatalf("nothing comes, want %q", w)
		}
	}
}

// again reads how the client comes back, and lets it in.
func (r *fakeRouter) again(payload clienttest.Object) (p *clienttest.Peer, asked string) {
	r.t.Helper()
	p = r.Accept()
	p.Greet()
	asked = string(p.Next().Payload)
	grant(p, payload)
	return p, asked
}

// follow returns a client that recovers, with the router's side of it.
func (r *fakeRouter) follow(opts Options, payload clienttest.Object) (*Client, *clienttest.Peer, string) {
	r.t.Helper()
	opts.Reconnect.Max = time.Millisecond
	done := r.dialing(r.t.Context(), tokens(), opts)
	p, asked := r.again(payload)
	d := <-done
	if d.err != nil {
		r.t.Fatal(d.err)
	}
	r.t.Cleanup(func() { r.shut(d.client) })
	return d.client, p, asked
}

func at(epoch string, offset int, more ...any) clienttest.Object {
	o := clienttest.Object{"epoch": epoch, "offset": offset}
	if len(more) > 0 {
		o["recovered"] = more[0]
	}
	return o
}

func histories(pairs ...any) clienttest.Object {
	h := clienttest.Object{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i].(string)] = pairs[i+1]
	}
	return clienttest.Object{"history": h}
}

// A client says where it was, and is told of no gap where the router recovers.
func TestRecover(t *testing.T) {
	r, h := newFakeRouter(t), newTold()
	c, p, asked := r.follow(Options{Recover: true, OnGap: h.gap}, histories("weather", at("e", 7), "news", at("n", 1)))
	if asked != `{"history":{},"gaps":true}` {
		t.Errorf("at first the client asks for %s", asked)
	}
	c.Listen("", h.listen)
	recorded(p, "weather", "e", 8)
	p.Broadcast("chat", "t", "a")
	wants(t, h.messages, "weather 8", `chat "a"`)
	p.Conn.Close()

	p, asked = r.again(histories("weather", at("e", 8, true), "news", at("n", 5, false)))
	if asked != `{"history":{"news":{"epoch":"n","offset":1},"weather":{"epoch":"e","offset":8}},"gaps":true}` {
		t.Errorf("the client comes back with %s", asked)
	}
	recorded(p, "weather", "e", 9) // before the client is online
	recorded(p, "news", "n", 6)
	recorded(p, "news", "n", 7)
	p.Broadcast("chat", "t", "b")
	wants(t, h.messages, "weather 9", "news 6 gap true 0", "news 7", `chat "b" gap true 0`)
	wants(t, h.gaps, " 0")
	recorded(p, "weather", "f", 3) // another history, on an open connection
	recorded(p, "weather", "f", 4)
	wants(t, h.messages, "weather 3 gap true 0", "weather 4")
	wants(t, h.gaps, "weather 0")
	p.Conn.Close()

	p, _ = r.again(histories("weather", at("f", 9, false)))
	p.Conn.Close()
	p, asked = r.again(histories("weather", at("f", 9, true)))
	if asked != `{"history":{"weather":{"epoch":"f","offset":9}},"gaps":true}` {
		t.Errorf("the client comes back with %s", asked)
	}
	recorded(p, "weather", "f", 10)
	wants(t, h.messages, "weather 10 gap true 0") // of the loss before
}

// Each listener is told of what the router dropped, and of nothing that was before it.
func TestGaps(t *testing.T) {
	r, h, late := newFakeRouter(t), newTold(), newTold()
	c, p, _ := r.follow(Options{OnGap: h.gap}, nil)
	c.Listen("weather", h.listen)
	gap := func(n int) {
		p.Send(clienttest.Object{"service_name": "weather", "request_id": "", "topic": "", "payload": nil, "gap": n})
	}
	p.Broadcast("weather", "t", 1)
	gap(3)
	wants(t, h.gaps, "weather 3")
	c.Listen("weather", late.listen)
	gap(2)
	p.Broadcast("weather", "t", 2)
	p.Broadcast("weather", "t", json.RawMessage(`{"gap":7,"offset":1}`)) // a payload may say anything
	wants(t, h.messages, "weather 1", "weather 2 gap true 5", `weather {"gap":7,"offset":1}`)
	wants(t, late.messages, "weather 2 gap true 2")
	wants(t, h.gaps, "weather 2")
	gap(0) // of another node, and nobody knows how many
	p.Broadcast("weather", "t", 4)
	wants(t, h.gaps, "weather 0")
	wants(t, h.messages, "weather 4 gap true 0")
	p.Conn.Close()
	p, asked := r.again(nil)
	if asked != `{"gaps":true}` {
		t.Errorf("without Recover the client asks for %s", asked)
	}
	p.Broadcast("weather", "t", 3)
	wants(t, h.gaps, "weather 0")
	wants(t, h.messages, "weather 3 gap true 0")
}

// A message that gives way to newer ones leaves its gap to the next.
func TestGapOfADroppedMessage(t *testing.T) {
	var h history
	l := h.heard()
	h.lose("a", 2)
	h.mark("a") // of the message that is dropped
	h.lose("a", 1)
	if gap, missed := l.hear("a", h.mark("a")); !gap || missed != 3 {
		t.Errorf("gap %v, missed %d", gap, missed)
	}
	if gap, missed := l.hear("a", h.mark("a")); gap || missed != 0 {
		t.Errorf("again: gap %v, missed %d", gap, missed)
	}
}

// The filters are stated over each connection. Those that the router does not use, the client applies.
func TestFilters(t *testing.T) {
	r, h := newFakeRouter(t), newTold()
	var log bytes.Buffer
	filters := map[string]Filter{
		"weather": {Topics: []string{"today"}, Keys: map[string][]any{"city": {"Oslo", "Rome"}, "level": {3, nil, true}}},
		"news":    {Topics: []string{"t"}},
	}
	c, p, asked := r.follow(Options{Filters: filters, Logger: slog.New(slog.NewTextHandler(&log, nil))}, clienttest.Object{"filters": clienttest.Object{"news": true, "weather": "too many"}})
	const want = `{"gaps":true,"filters":{"news":{"topics":["t"]},"weather":{"topics":["today"],"keys":{"city":["Oslo","Rome"],"level":[3,null,true]}}}}`
	if asked != want {
		t.Errorf("the client asks for %s, want %s", asked, want)
	}
	c.Listen("", h.listen)
	p.Broadcast("weather", "storm", clienttest.Object{"city": "Oslo", "level": 3})
	p.Broadcast("weather", "today", clienttest.Object{"city": "Oslo", "level": 3})
	p.Broadcast("weather", "today", clienttest.Object{"city": "Bonn", "level": 3})
	p.Broadcast("news", "other", 1) // the router's filter counts
	wants(t, h.messages, `weather {"city":"Oslo","level":3}`, "news 1")
	p.Conn.Close()
	p, asked = r.again(clienttest.Object{"filters": clienttest.Object{"news": true, "weather": true}})
	if asked != want {
		t.Errorf("the client comes back with %s", asked)
	}
	p.Broadcast("weather", "storm", 2)
	wants(t, h.messages, "weather 2 gap true 0")
	r.shut(c)
	if text := log.String(); !strings.Contains(text, "service=weather") || !strings.Contains(text, "too many") || strings.Contains(text, "service=news") {
		t.Errorf("the log says %s", text)
	}
}

func TestFilterPasses(t *testing.T) {
	for _, test := range []struct {
		filter         Filter
		topic, payload string
		want           bool
	}{
		{Filter{Topics: []string{"a", "b"}}, "b", `null`, true},
		{Filter{Topics: []string{"a"}}, "b", `null`, false},
		{Filter{Keys: map[string][]any{"k": {"\u00e9"}}}, "", `{"k":"\u00e9"}`, true},
		{Filter{Keys: map[string][]any{"k": {"<"}}}, "", `{"k":"<"}`, true},
		{Filter{Keys: map[string][]any{"k": {"1"}}}, "", `{"k":1}`, false},
		{Filter{Keys: map[string][]any{"k": {1}}}, "", `{"k":1.0}`, false}, // as the router
		{Filter{Keys: map[string][]any{"k": {json.Number("1.0")}}}, "", `{"k":1.0}`, true},
		{Filter{Keys: map[string][]any{"k": {nil}}}, "", `{"k":null}`, true},
		{Filter{Keys: map[string][]any{"k": {nil}}}, "", `{}`, false},
		{Filter{Keys: map[string][]any{"k": {1}}}, "", `{"k":1,"k":2}`, false}, // the last one counts
		{Filter{Keys: map[string][]any{"k": {1}}}, "", `[1]`, false},
		{Filter{Keys: map[string][]any{"k": {1}, "l": {2}}}, "", `{"k":1,"l":2}`, true},
		{Filter{Keys: map[string][]any{"k": {1}, "l": {2}}}, "", `{"k":1}`, false},
	} {
		if got := test.filter.passes(test.topic, json.RawMessage(test.payload)); got != test.want {
			t.Errorf("%+v at topic %q, payload %s: %v", test.filter, test.topic, test.payload, got)
		}
	}
}

func TestFilterCheck(t *testing.T) {
	for want, f := range map[string]Filter{
		"names neither":   {},
		"has no value":    {Keys: map[string][]any{"k": {}}},
		"not a []int":     {Keys: map[string][]any{"k": {[]int{1}}}},
		"not a struct {}": {Keys: map[string][]any{"k": {struct{}{}}}},
		"not a chan int":  {Keys: map[string][]any{"k": {make(chan int)}}},
	} {
		_, err := Options{Filters: map[string]Filter{"weather": f}}.WithDefaults()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `Filters of "weather"`) {
			t.Errorf("%+v: %v, want %q", f, err, want)
		}
	}
}

// A wish that is too long for the router's first message says less.
func TestWishIsShort(t *testing.T) {
	l := &link{opts: Options{Recover: true, Filters: map[string]Filter{"a": {Topics: []string{strings.Repeat("x", longestWish)}}}}}
	if got := l.wish(Token{}); got != `{"history":{},"gaps":true}` {
		t.Errorf("with a long filter: %s", got)
	}
	l.opts.Filters = nil
	long := map[string]position{}
	for i := range 200 {
		long[fmt.Sprintf("service%d", i)] = position{"abcdefabcdef", int64(i)}
	}
	l.history.positions = long
	if got := l.wish(Token{}); got != `{"history":{},"gaps":true}` {
		t.Errorf("with many positions: %d bytes", len(got))
	}
	if got := l.history.ask(); len(got) != len(long) {
		t.Errorf("%d positions are left", len(got))
	}
}

// The token and the wish together are no longer than the router's first message may be.
func TestWishLeavesRoomForTheToken(t *testing.T) {
	r := newFakeRouter(t)
	long := Token{Name: "jwt", Hash: strings.Repeat("x", 6000)}
	source := func(context.Context) (Token, error) { return long, nil }
	done := r.dialing(t.Context(), source, Options{Filters: map[string]Filter{"a": {Topics: []string{strings.Repeat("y", 3000)}}}})
	p := r.Accept()
	p.Greet()
	if m := p.Next(); m.Token.Hash != long.Hash || string(m.Payload) != `{"gaps":true}` {
		t.Errorf("the payload beside a token of %d bytes has %d", len(m.Token.Hash), len(m.Payload))
	}
	p.Admit()
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	r.shut(d.client)
}

// What the router says of histories may be anything.
func TestOddHistories(t *testing.T) {
	for _, payload := range []string{``, `null`, `1`, `[]`, `{"history":null}`, `{"history":{"a":{}}}`, `{"history":{"a":{"epoch":1}}}`} {
		var h history
		if h.begin(json.RawMessage(payload)) || !h.begin(json.RawMessage(payload)) || len(h.ask()) > 0 || !h.broken("a") {
			t.Errorf("%s: %+v", payload, &h)
		}
	}
}
