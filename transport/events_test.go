package transport

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
)

// eventReader is a page that gets server-sent events.
type eventReader struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Reader
	secret string
	header http.Header
}

// listen opens a stream and reads its first event and the 200.
func (b *backend) listen(token string, header ...string) *eventReader {
	b.t.Helper()
	e, status := b.tryListen("/events", token, header...)
	if status != 200 {
		b.t.Fatalf("status %d", status)
	}
	var first struct{ Stream string }
	kind, data := e.next()
	if err := json.Unmarshal([]byte(data), &first); err != nil || kind != "open" || first.Stream == "" {
		b.t.Fatalf("first event %q %q", kind, data)
	}
	e.secret = first.Stream
	if m := e.envelope(); m.StatusCode != 200.0 {
		b.t.Fatalf("first message has status %v", m.StatusCode)
	}
	return e
}

func (b *backend) tryListen(path, token string, header ...string) (*eventReader, int) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(token+":hash")))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	got, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = got.Body.Close() })
	return &eventReader{t: b.t, body: got.Body, lines: bufio.NewReader(got.Body), header: got.Header}, got.StatusCode
}

// next returns the next event. Comments and other fields are left out.
func (e *eventReader) next() (kind, data string) {
	e.t.Helper()
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			e.t.Fatalf("the stream has ended: %v", err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case line == "\n" && data != "":
			return kind, data
		case field == "event":
			kind = value
		case field == "data":
			data += value
		}
	}
}

func (e *eventReader) envelope() reading {
	e.t.Helper()
	kind, data := e.next()
	var m reading
	if err := json.Unmarshal([]byte(data), &m); err != nil || kind != "" {
		e.t.Fatalf("%q %s: %v", kind, data, err)
	}
	return m
}

// closed reads until the stream says that it ends, and then its end.
func (e *eventReader) closed(want int) {
	e.t.Helper()
	for {
		kind, data := e.next()
		if kind == "" {
			continue
		}
		var last struct{ Code int }
		if err := json.Unmarshal([]byte(data), &last); err != nil || kind != "close" || last.Code != want {
			e.t.Fatalf("%q %s, want %d", kind, data, want)
		}
		if rest, err := io.ReadAll(e.lines); len(rest) > 0 || err != nil {
			e.t.Fatalf("after the last event came %q, %v", rest, err)
		}
		return
	}
}

// A stream gets what a socket gets, in the same order: broadcasts, and replies to what is posted in its name.
func TestEvents(t *testing.T) {
	s := newWebServer(t, nil)
	service, page := s.login("service:s"), s.login("client:s")
	b := s.backend(t)
	e := b.listen("client:s", "Accept", "text/event-stream")
	if got := e.header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	answer := b.post("/request", "", `{"service":"s","request_id":"mine","payload":"q"}`, "Authorization", "Stream "+e.secret)
	if answer.status != 202 {
		t.Fatalf("%d %s", answer.status, answer.body)
	}
	asked := service.envelope()
	for i := range 50 {
		service.text(broadcast("s", i))
	}
	service.text(fmt.Sprintf(`{"service_name":"s","status_code":200,"request_id":%q,"resource_id":%q,"payload":"a\n\ndata: b"}`, asked.RequestID, asked.ResourceID))
	service.text("{\"service\":\"s\",\n\n\"payload\":{\r\n\r\n\"data\":\n\n[1]}}")
	for i := range 50 {
		if m := e.envelope(); string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", m.Payload, i)
		}
	}
	if m := e.envelope(); string(m.Payload) != `"a\n\ndata: b"` || m.RequestID != "mine" {
		t.Errorf("got %s #%v", m.Payload, m.RequestID)
	}
	if m := e.envelope(); strings.Join(strings.Fields(string(m.Payload)), "") != `{"data":[1]}` {
		t.Errorf("got %s", m.Payload)
	}
	page.counts(50)
	_ = e.body.Close()
	eventually(t, "the stream is gone", func() bool { return s.HTTP().Streams == 0 && s.Clients() == 2 }) // the page, and the connection that sent
	if got := b.post("/request", "", `{"service":"s"}`, "Authorization", "Stream "+e.secret); got.status != 401 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// A service may take requests by a stream and answer them by POST.
func TestServiceByEvents(t *testing.T) {
	s := newWebServer(t, nil)
	b := s.backend(t)
	service := b.listen("service:s")
	page := s.login("client:s")
	page.text(`{"service":"s","request_id":"1","payload":"q"}`)
	asked := service.envelope()
	reply := fmt.Sprintf(`[{"service_name":"s","status_code":200,"request_id":%q,"resource_id":%q,"payload":"a"},{"service":"s","payload":"b"}]`, asked.RequestID, asked.ResourceID)
	if got := b.post("/publish", "", reply, "Authorization", "Stream "+service.secret); got.status != 200 || strings.Count(got.body, "202") != 2 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, want := range []string{`"a"`, `"b"`} {
		if m := page.envelope(); string(m.Payload) != want {
			t.Errorf("got %s, want %s", m.Payload, want)
		}
	}
}

func TestEventsRefused(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.Origins = []string{"https://good.example"} })
	b := s.backend(t)
	tests := map[string]struct {
		path, token string
		header      []string
		status      int
	}{
		"by URL":          {"/events?token_name=client&token_hash=h", "", nil, 200},
		"a bad token":     {"/events", "nobody", nil, 401},
		"no token":        {"/events", "", nil, 401},
		"another origin":  {"/events", "client", []string{"Origin", "https://evil.example"}, 403},
		"the same origin": {"/events", "client", []string{"Origin", "https://good.example"}, 200},
		"another path":    {"/event", "client", nil, 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e, status := b.tryListen(test.path, test.token, test.header...)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			_ = e.body.Close()
		})
	}
	if got := b.post("/events", "client", ""); got.status != 405 || got.header.Get("Allow") != "GET, OPTIONS" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// A stream that says nothing says so, for the proxies on the way.
func TestHeartbeat(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.PingInterval = time.Millisecond })
	e := s.backend(t).listen("client:s")
	for range 3 {
		if line, err := e.lines.ReadString('\n'); line != ":\n" || err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
		if line, err := e.lines.ReadString('\n'); line != "\n" || err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
	}
}

// A stream that does not read is cut off at the bound of a socket, and holds up nobody.
func TestSlowEventReader(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.OutboundMessages = 20 })
	service, page := s.login("service:s"), s.login("client:s")
	p := s.connect()
	p.write([]byte("GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2xpZW50OnM6aGFzaA==\r\n\r\n")) // client:s:hash
	eventually(t, "the stream is open", func() bool { return s.HTTP().Streams == 1 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; s.HTTP().Streams > 0; n++ {
			service.text(broadcast("s", filler(64<<10)))
		}
		service.text(broadcast("s", `"end"`))
	}()
	for {
		if m := page.envelope(); string(m.Payload) == `"end"` {
			break
		}
	}
	<-done
	if n := s.deps.Refusals().Count(refusals.SlowReader); n != 1 {
		t.Errorf("%d slow readers", n)
	}
	if n := s.deps.Counters.SlowConsumers.Load(); n != 1 {
		t.Errorf("%d slow consumers", n)
	}
	_, _ = io.Copy(io.Discard, p.br) // it has ended
}

// Streams end with the code that a socket would get.
func TestEndOfEvents(t *testing.T) {
	t.Run("the router stops", func(t *testing.T) {
		s := newWebServer(t, nil)
		e := s.backend(t).listen("client:s")
		service := s.login("service:s")
		s.StopListening()
		service.text(broadcast("s", `"last"`)) // services still speak
		if m := e.envelope(); string(m.Payload) != `"last"` {
			t.Errorf("got %s", m.Payload)
		}
		s.CloseAll()
		e.closed(1001)
	})
	t.Run("the token expires", func(t *testing.T) {
		s := newWebServerWith(t, shortTokens{}, nil)
		s.backend(t).listen("client").closed(4001)
	})
}

// shortTokens are clients' whose time is over soon.
type shortTokens struct{}

func (shortTokens) Claim(_, _ string, admit func(actors.Role) error) (*actors.Credentials, error) {
	return &actors.Credentials{Role: actors.Client, ExpiresAt: time.Now().Add(200 * time.Millisecond)}, admit(actors.Client)
}
