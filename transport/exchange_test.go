package transport

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// ask sends the head and the body of a request and reads the head of the answer, whose body it drops.
func (p *peer) ask(method, path, body string, header ...string) *http.Response {
	p.t.Helper()
	var head strings.Builder
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(&head, "%s: %s\r\n", header[i], header[i+1])
	}
	if body != "" {
		fmt.Fprintf(&head, "Content-Length: %d\r\n", len(body))
	}
	p.write(fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", method, path, head.String(), body))
	r, err := http.ReadResponse(p.br, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return r
}

// basic returns the header that has a token.
func basic(token string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(token+":hash"))}
}

// Connections that send in the name of a stream take the places of clients, and leave those of services.
func TestPlacesOfStreams(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.Connections, l.ServiceReserve, l.Unauthenticated = 12, 3, 4 })
	e := s.backend(t).listen("client:s") // the first of 9 clients
	post := func() *http.Response {
		return s.connect().ask("POST", "/request", "[]", "Authorization", "Stream "+e.secret)
	}
	for i := range 8 {
		if r := post(); r.StatusCode != 200 {
			t.Fatalf("connection %d: %s", i+2, r.Status)
		}
	}
	if r := post(); r.StatusCode != 503 || !r.Close {
		t.Errorf("one too many: %s, closed %v", r.Status, r.Close)
	}
	if n := s.deps.Refusals().Count(refusals.ClientPlaces); n != 1 {
		t.Errorf("%d refused", n)
	}
	if n := s.Clients(); n != 9 {
		t.Errorf("%d clients", n)
	}
	for range 3 {
		s.backend(t).listen("service:q")
	}
}

// A stream has no more messages under way than limits.inbound_messages.
func TestWindowOfAStream(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.InboundMessages, l.HTTPBatch = 4, 60 })
	service, b := s.login("service:s"), s.backend(t)
	e := b.listen("client")
	unblock := s.block()
	done := make(chan result, 1)
	go func() {
		done <- b.post("/request", "", "["+strings.Repeat(`{"service":"s"},`, 59)+`{"service":"s"}]`, "Authorization", "Stream "+e.secret)
	}()
	if got := <-postedOr(done, time.Second); got.status != 0 {
		t.Errorf("60 messages were taken although nothing is written: %d", got.status)
	}
	if n := s.HTTP().Requests; n > 4 {
		t.Errorf("%d messages are under way", n)
	}
	unblock()
	for range 60 {
		service.envelope()
	}
	if got := <-done; got.status != 200 || strings.Count(got.body, "202") != 60 {
		t.Errorf("%d %.300s", got.status, got.body)
	}
}

// postedOr returns what comes out of c, or nothing after a while. What has come stays in c.
func postedOr(c chan result, while time.Duration) <-chan result {
	out := make(chan result, 1)
	select {
	case r := <-c:
		c <- r
		out <- r
	case <-time.After(while):
		out <- result{}
	}
	return out
}

// What comes of a stream's messages comes through that stream, so another one may send the same again.
func TestIdempotencyKeyOfAStream(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, nil)
	service, b := s.login("service:s"), s.backend(t)
	const body = `{"service":"s","request_id":"mine","payload":"q"}`
	ask := func(header ...string) {
		t.Helper()
		if got := b.post("/request", "", body, append(header, "Idempotency-Key", "k")...); got.status/100 != 2 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	answer := func(payload int) {
		m := service.envelope()
		service.text(fmt.Sprintf(`{"service_name":"s","status_code":200,"request_id":%q,"resource_id":%q,"payload":%d}`, m.RequestID, m.ResourceID, payload))
	}
	lost, e := b.listen("ann"), s.backend(t).listen("ann")
	ask("Authorization", "Stream "+lost.secret)
	ask("Authorization", "Stream "+lost.secret) // not carried out
	answer(1)
	lost.envelope()
	_ = lost.body.Close()
	ask("Authorization", "Stream "+e.secret)
	answer(2)
	if m := e.envelope(); string(m.Payload) != "2" {
		t.Errorf("the second stream got %s", m.Payload)
	}
	go answer(3)
	ask(basic("ann")...)
	if got := s.HTTP(); got.Repeated != 1 || got.Requests != 3 {
		t.Errorf("got %+v", got)
	}
}

// A connection by HTTP ends when nobody has authenticated on it in time, whatever it asks for. One that has goes on.
func TestAuthenticationTimeoutByHTTP(t *testing.T) {
	s := newWebServer(t, nil)
	settings := *s.deps.Settings.Load()
	settings.AuthenticationTimeout = 2 * time.Second
	s.deps.Settings.Store(&settings)
	good := s.connect()
	if r := good.ask("POST", "/request", `{"service":"nobody"}`, basic("client")...); r.StatusCode != 404 {
		t.Fatal(r.Status)
	}
	var waiting []*peer
	for n, ask := range []func(p *peer) *http.Response{
		func(p *peer) *http.Response { return p.ask("OPTIONS", "/request", "") },
		func(p *peer) *http.Response { return p.ask("GET", "/request", "") },
		func(p *peer) *http.Response { return p.ask("OPTIONS", "/request", "", "Origin", "http://evil.example") },
	} {
		p := s.connect()
		if n == 1 { // the first request must have a body, or it asks for a socket
			p.ask("OPTIONS", "/request", "")
		}
		if r := ask(p); r.Close {
			t.Errorf("request %d: closed at once", n)
		}
		waiting = append(waiting, p)
	}
	for n, p := range waiting {
		if rest, err := io.ReadAll(p.br); err != nil || len(rest) > 0 {
			t.Errorf("request %d: %d bytes, %v; want the end", n, len(rest), err)
		}
	}
	if n := s.deps.Refusals().Count(refusals.AuthTimeout); n != 3 {
		t.Errorf("%d refused", n)
	}
	if r := good.ask("POST", "/request", `{"service":"nobody"}`, basic("client")...); r.StatusCode != 404 {
		t.Errorf("the one that has authenticated got %s", r.Status)
	}
	eventually(t, "the others are gone", func() bool { return s.Live() == 1 })
}

// A status that allows no body would take the envelope with it.
func TestStatusWithoutABody(t *testing.T) {
	s := newWebServer(t, nil)
	s.serve(t, "s", 5)
	b := s.backend(t)
	for _, status := range []int{100, 204, 205, 304, 203} {
		want := 200
		if status == 203 {
			want = 203
		}
		got := b.post("/request", "client", fmt.Sprintf(`{"service":"s","payload":{"status":%d}}`, status))
		if got.status != want || !strings.Contains(got.body, fmt.Sprintf(`"status_code":%d`, status)) {
			t.Errorf("%d: %d %q", status, got.status, got.body)
		}
	}
}

// A list that is too long is refused before its elements are read.
func TestLongListTakesLittle(t *testing.T) {
	s := newWebServer(t, nil)
	b := s.backend(t)
	list := "[" + strings.Repeat("1,", 500_000) + "1]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := b.post("/request", "client", list)
	runtime.ReadMemStats(&after)
	if got.status != 413 || !strings.Contains(got.body, "http.batch") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 20*uint64(len(list)) {
		t.Errorf("%d bytes were taken for a body of %d", took, len(list))
	}
}

// silentLocal is a service in the router that answers nothing.
type silentLocal struct{}

func (silentLocal) Ask(r *actors.Request) { r.Release() }
func (silentLocal) Gone(string)           {}

// Under the name of a service in the router nothing is published, and the publisher hears of it.
func TestPublishUnderANameInside(t *testing.T) {
	s := newWebServer(t, nil)
	offered := make(chan struct{})
	s.router.Send(&actors.Offer{Peer: actors.NewLocal("s", filter.Pass(), silentLocal{}), Done: func() { close(offered) }})
	<-offered
	b := s.backend(t)
	for _, body := range []string{`{"payload":1}`, `[{"payload":1}]`} {
		if got := b.post("/publish", "service:s", body); got.status != 409 || !strings.Contains(got.body, "has this name") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if n := s.deps.Refusals().Count(refusals.ForeignName); n != 2 {
		t.Errorf("%d counted", n)
	}
	if got := b.post("/publish", "service:other", `{"payload":1}`); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// onceTokens are clients' that are good once.
type onceTokens struct{ claimed sync.Map }

type usedUp struct{ error }

func (usedUp) Used() bool { return true }

func (o *onceTokens) Claim(name, _ string, admit func(actors.Role) error) (*actors.Credentials, error) {
	if _, used := o.claimed.LoadOrStore(name, true); used {
		return nil, usedUp{io.EOF}
	}
	return &actors.Credentials{Role: actors.Client}, admit(actors.Client)
}

// A stream comes back with its token although the old one has not ended, if nothing is acknowledged there any more.
func TestStreamComesBack(t *testing.T) {
	for _, silent := range []bool{true, false} {
		s := listen(t, nil, nil, withHTTP)
		s.deps.Tokens = new(onceTokens)
		settings := *s.deps.Settings.Load()
		settings.Reclaim, settings.ReclaimCount = time.Hour, 10
		s.deps.Settings.Store(&settings)
		s.deps.Hold(nil)
		var took atomic.Uint64
		s.shards[0].acked = func(net.Conn) (uint64, bool) {
			if silent {
				return 1, true
			}
			return took.Add(1), true
		}
		s.begin()
		old := s.backend(t).listen("one")
		if silent {
			s.backend(t).listen("one")
			old.closed(int(endCode(actors.Replaced)))
			continue
		}
		if _, status := s.backend(t).tryListen("/events", "one"); status != 401 {
			t.Errorf("status %d, want that the token is in use", status)
		}
		if line, err := old.lines.ReadString('\n'); line != ":\n" || err != nil {
			t.Errorf("the old stream got %q, %v; want a comment", line, err)
		}
	}
}
