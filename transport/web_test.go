package transport

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
)

// withHTTP turns requests by HTTP on.
func withHTTP(l *Limits) {
	l.HTTP, l.HTTPBatch, l.HTTPBodyTimeout, l.HTTPRate = true, 10, patience, 0
	l.IdempotencyLifetime, l.IdempotencyKeys, l.IdempotencyBytes = time.Hour, 100, 1<<20
}

func newWebServer(t *testing.T, change func(*Limits)) *server {
	return newWebServerWith(t, namedTokens{}, change)
}

func newWebServerWith(t *testing.T, tokens actors.Tokens, change func(*Limits)) *server {
	s := listen(t, nil, nil, func(l *Limits) {
		withHTTP(l)
		if change != nil {
			change(l)
		}
	})
	s.deps.Tokens = tokens
	s.begin()
	return s
}

// backend is a program that sends requests by HTTP.
type backend struct {
	t      *testing.T
	url    string
	client *http.Client
}

func (s *server) backend(t *testing.T) *backend {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a test's certificate
	t.Cleanup(transport.CloseIdleConnections)
	return &backend{t: t, url: "http://" + s.Addr().String(), client: &http.Client{Transport: transport, Timeout: 2 * patience}}
}

// result is an answer by HTTP.
type result struct {
	status int
	header http.Header
	body   string
}

// post sends a body with a token, and pairs of header names and values.
func (b *backend) post(path, token, body string, header ...string) result {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(token+":hash")))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return b.do(r)
}

func (b *backend) do(r *http.Request) result {
	b.t.Helper()
	got, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return result{got.StatusCode, got.Header, string(text)}
}

// serve has a service answer each of n requests with its payload, and with the status in it if there is one.
func (s *server) serve(t *testing.T, name string, n int) *sync.WaitGroup {
	service := s.login("service:" + name)
	var done sync.WaitGroup
	done.Go(func() {
		for range n {
			m := service.envelope()
			var asked struct {
				Status int `json:"status"`
			}
			_ = json.Unmarshal(m.Payload, &asked)
			status := 200
			if asked.Status != 0 {
				status = asked.Status
			}
			service.text(fmt.Sprintf(`{"service_name":%q,"topic":"x","status_code":%d,"request_id":%q,"resource_id":%q,"payload":%s}`,
				name, status, m.RequestID, m.ResourceID, m.Payload))
		}
	})
	t.Cleanup(done.Wait)
	return &done
}

func TestRequestByHTTP(t *testing.T) {
	tests := map[string]struct {
		path, token, body string
		served            int // requests that the service sees
		status            int
		want              string // part of the answer
	}{
		"a request":            {"/request", "client", `{"service":"s","topic":"x","request_id":"mine","payload":{"a":1}}`, 1, 200, `"payload":{"a":1},"service_name":"s"`},
		"its own id":           {"/request", "client", `{"service":"s","topic":"x","request_id":7.0,"payload":1}`, 1, 200, `"request_id":7.0`},
		"below a path":         {"/websockets/request", "client", `{"service":"s","payload":1}`, 1, 200, `"payload":1`},
		"a failure":            {"/request", "client", `{"service":"s","payload":{"status":503}}`, 1, 503, `"status_code":503`},
		"forbidden":            {"/request", "client", `{"service":"s","payload":{"status":403}}`, 1, 403, `"status_code":403`},
		"a batch":              {"/request", "client", ` [{"service":"s","request_id":"a","payload":1},{"service":"nobody"},{"service":"s","request_id":"b","payload":2}]`, 2, 200, `"request_id":"b"`},
		"an empty batch":       {"/request", "client", `[]`, 0, 200, `[]`},
		"an unknown service":   {"/request", "client", `{"service":"nobody","request_id":"1"}`, 0, 404, `"status_code":404`},
		"no service":           {"/request", "client", `{"topic":"x"}`, 0, 400, `"status_code":400`},
		"no JSON":              {"/request", "client", `{"service":`, 0, 400, `message 1`},
		"a broken batch":       {"/request", "client", `[{"service":"s"}`, 0, 400, `not JSON`},
		"a number too large":   {"/request", "client", `{"service":"s","payload":1e999}`, 0, 400, `float64`},
		"too long a batch":     {"/request", "client", "[" + strings.Repeat(`{},`, 10) + "{}]", 0, 413, `http.batch`},
		"a service requests":   {"/request", "service:q", `{"service":"s"}`, 0, 403, `only a client`},
		"a client publishes":   {"/publish", "client", `{"service":"s"}`, 0, 403, `only a service`},
		"another's name":       {"/publish", "service:q", `{"service":"s","payload":1}`, 0, 403, `another service`},
		"published":            {"/publish", "service:q", `{"service":"q","topic":"t","payload":1}`, 0, 200, `"OK"`},
		"published, no name":   {"/publish", "service:q", `{"topic":"t","payload":1}`, 0, 200, `"OK"`},
		"a bad token":          {"/request", "nobody", `{"service":"s"}`, 0, 401, `not good`},
		"no token":             {"/request", "", `{"service":"s"}`, 0, 401, `no token`},
		"a body that is large": {"/request", "client", `{"service":"s","payload":` + filler(1<<20) + `}`, 0, 413, `limits.client_bytes`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newWebServer(t, nil)
			s.serve(t, "s", test.served)
			got := s.backend(t).post(test.path, test.token, test.body)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("status %d, body %.300s; want %d and %s", got.status, got.body, test.status, test.want)
			}
			if !json.Valid([]byte(got.body)) || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %q is no JSON", got.header.Get("Content-Type"), got.body)
			}
		})
	}
}

// What is published arrives as what a socket says, in order, and it is with the receivers when the publisher is answered.
func TestPublishByHTTP(t *testing.T) {
	s := newWebServer(t, nil)
	page := s.login("client:s")
	b := s.backend(t)
	for i := range 20 {
		if got := b.post("/publish", "service:s", fmt.Sprintf(`{"topic":"t","payload":%d,"request_id":"1","resource_id":"x"}`, i)); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if i == 10 {
			b.client.CloseIdleConnections() // another connection, and another instance
		}
	}
	if got := b.post("/publish", "service:s", `[{"payload":20},{"service":"other","payload":0},{"payload":21}]`); got.status != 200 ||
		!strings.Contains(got.body, "403") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for i := range 22 {
		if m := page.envelope(); string(m.Payload) != fmt.Sprint(i) || m.RequestID != "" {
			t.Fatalf("got %s, request id %v; want %d", m.Payload, m.RequestID, i)
		}
	}
}

// A publisher by HTTP gets no requests, and its name counts as offered by nobody.
func TestPublisherIsAskedNothing(t *testing.T) {
	s := newWebServer(t, nil)
	settings := *s.deps.Settings.Load()
	settings.UnknownService = 404
	s.deps.Settings.Store(&settings)
	b := s.backend(t)
	if got := b.post("/publish", "service:s", `{"payload":1}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	page := s.login("client")
	page.text(`{"service":"s","request_id":"1"}`)
	page.status(404)
}

// A client by HTTP is a member of nothing, whatever its token says.
func TestCallerGetsNoBroadcasts(t *testing.T) {
	s := newWebServer(t, nil)
	service := s.login("service:s")
	b := s.backend(t)
	if got := b.post("/request", "client:s", `{"service":"nobody"}`); got.status != 404 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	service.text(broadcast("s", 1))
	service.text(`{"service":"authentication","topic":"leaving"}`) // its answer comes after the broadcast
	service.status(200)
	for reason, n := range s.deps.Counters.DeadLetters() {
		if reason == actors.SocketClosed && n > 0 {
			t.Errorf("%d messages came for the caller", n)
		}
	}
}

// A connection keeps its identity from request to request, and gets another one with another token.
func TestIdentityOfConnection(t *testing.T) {
	var claims sync.Map
	s := newWebServerWith(t, countingTokens{&claims}, nil)
	b := s.backend(t)
	for _, token := range []string{"client", "client", "client:x", "client:x", "client"} {
		if got := b.post("/request", token, `{"service":"nobody"}`); got.status != 404 {
			t.Fatalf("%s: %d %s", token, got.status, got.body)
		}
	}
	for token, want := range map[string]int{"client": 2, "client:x": 1} {
		if n, _ := claims.Load(token); n != want {
			t.Errorf("%s was claimed %v times, want %d", token, n, want)
		}
	}
	if s.Live() != 1 || s.Clients() != 1 {
		t.Errorf("%d connections, %d clients", s.Live(), s.Clients())
	}
	b.client.CloseIdleConnections()
	eventually(t, "the connection is gone", func() bool { return s.Live() == 0 && s.Clients() == 0 })
}

// countingTokens are named tokens that count how often each was claimed.
type countingTokens struct{ claims *sync.Map }

func (c countingTokens) Claim(name, hash string, admit func(actors.Role) error) (*actors.Credentials, error) {
	n, _ := c.claims.LoadOrStore(name, 0)
	c.claims.Store(name, n.(int)+1)
	return namedTokens{}.Claim(name, hash, admit)
}

func TestBearer(t *testing.T) {
	tests := map[string]struct{ authorization, path, want string }{
		"a JWT":                    {"Bearer a.b.c", "/request", "jwt a.b.c"},
		"in another case":          {"bEARER a.b.c", "/request", "jwt a.b.c"},
		"an API key":               {"Bearer swk_1", "/request", "apikey swk_1"},
		"an API key for a service": {"Bearer swk_1", "/request?service=s.t", "apikey:s.t swk_1"},
		"a file":                   {"Basic " + base64.StdEncoding.EncodeToString([]byte("n:h")), "/request", "n h"},
		"a key by name and value":  {"Basic " + base64.StdEncoding.EncodeToString([]byte("apikey:s:swk_1")), "/request", "apikey:s swk_1"},
		"no scheme":                {"n:h", "/request", ""},
		"nothing after it":         {"Bearer ", "/request", ""},
		"not base64":               {"Basic n:h", "/request", ""},
		"no colon":                 {"Basic " + base64.StdEncoding.EncodeToString([]byte("n")), "/request", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var shown string
			s := newWebServerWith(t, tokenFunc(func(name, hash string) { shown = name + " " + hash }), nil)
			got := s.backend(t).post(test.path, "", `{}`, "Authorization", test.authorization)
			if got.status != 401 || shown != test.want {
				t.Errorf("status %d, shown %q; want %q", got.status, shown, test.want)
			}
		})
	}
}

// tokenFunc is told of each token, and refuses it.
type tokenFunc func(name, hash string)

func (f tokenFunc) Claim(name, hash string, _ func(actors.Role) error) (*actors.Credentials, error) {
	f(name, hash)
	return nil, io.EOF
}

func TestIdempotencyKey(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, func(l *Limits) { l.IdempotencyKeys = 2 })
	s.serve(t, "s", 5)
	b := s.backend(t)
	ask := func(user, payload, key string, want int, payloads ...string) {
		t.Helper()
		got := b.post("/request", user, `{"service":"s","payload":`+payload+`}`, "Idempotency-Key", key)
		if got.status != want {
			t.Fatalf("%d %s, want %d", got.status, got.body, want)
		}
		for _, p := range payloads {
			if !strings.Contains(got.body, `"payload":`+p) {
				t.Fatalf("body %s, want %s", got.body, p)
			}
		}
	}
	ask("ann", "1", "k1", 200, "1")
	ask("ann", "1", "k1", 200, "1") // not carried out
	b.client.CloseIdleConnections()
	ask("ann", "1", "k1", 200, "1") // on another connection neither
	ask("ann", "2", "k1", 422)      // another body
	ask("bob", "2", "k1", 200, "2") // another's key
	ask("ann", `{"status":503}`, "k2", 503)
	ask("ann", `{"status":503}`, "k2", 503) // a failure is an answer
	ask("ann", "1", "k1", 200, "1")         // forgotten, because there are only 2
	ask("ann", "5", "", 200, "5")
	ask("ann", "1", strings.Repeat("k", 256), 400)
	if got := s.HTTP(); got.Repeated != 3 || got.Keys != 2 || got.Requests != 5 {
		t.Errorf("got %+v", got)
	}
}

// namedUsers are tokens of users, who are who the token's name says.
type namedUsers struct{}

func (namedUsers) Claim(name, hash string, admit func(actors.Role) error) (*actors.Credentials, error) {
	if strings.Contains(name, ":") {
		return namedTokens{}.Claim(name, hash, admit)
	}
	c := &actors.Credentials{Role: actors.Client}
	// NAME/PERMISSION/DOMAIN/EXTENSION, each but the name may be absent.
	for i, part := range strings.Split(name, "/") {
		switch i {
		case 0:
			c.UserName = part
		case 1:
			c.Permissions = []string{part}
		case 2:
			c.DomainName = part
		case 3:
			c.Extensions = []string{part}
		}
	}
	return c, admit(actors.Client)
}

// The answer to a key is for nobody who has other rights, be it the same user.
func TestIdempotencyKeyOfOtherRights(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, nil)
	s.serve(t, "s", 4)
	b := s.backend(t)
	for _, user := range []string{"ann", "ann/view", "ann/view/b.example", "ann/view/b.example/1001@b.example", "ann/view"} {
		if got := b.post("/request", user, `{"service":"s","payload":1}`, "Idempotency-Key", "k"); got.status != 200 {
			t.Errorf("%s: %d %s", user, got.status, got.body)
		}
	}
	if got := s.HTTP(); got.Repeated != 1 || got.Requests != 4 {
		t.Errorf("got %+v, want one answer again and four requests", got)
	}
}

// A request with a key goes on when its connection breaks, and its sender gets the answer when it asks again. One
// without a key is over.
func TestIdempotencyKeyAcrossABrokenConnection(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, nil)
	service := s.login("service:s")
	const body = `{"service":"s","payload":"once"}`
	lost := s.connect()
	lost.write(fmt.Appendf(nil, "POST /request HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\nIdempotency-Key: k\r\nContent-Length: %d\r\n\r\n%s",
		base64.StdEncoding.EncodeToString([]byte("ann:h")), len(body), body))
	m := service.envelope()
	_ = lost.Close()
	again := make(chan result, 1)
	go func() { again <- s.backend(t).post("/request", "ann", body, "Idempotency-Key", "k") }()
	service.text(fmt.Sprintf(`{"service_name":"s","status_code":200,"request_id":%q,"resource_id":%q,"payload":"done"}`, m.RequestID, m.ResourceID))
	if got := <-again; got.status != 200 || !strings.Contains(got.body, `"done"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.HTTP(); got.Requests != 1 || got.Repeated != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestMessageRate(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, func(l *Limits) { l.HTTPRate = 5 })
	b := s.backend(t)
	batch := "[" + strings.Repeat(`{"service":"nobody"},`, 9) + `{"service":"nobody"}]`
	if got := b.post("/request", "ann", batch); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	// Those before have used up two seconds, so a message is taken in one second.
	got := b.post("/request", "ann", batch)
	if got.status != 429 || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, "http.rate") {
		t.Errorf("%d %s %s", got.status, got.header, got.body)
	}
	if got := b.post("/request", "bob", batch); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if n := s.deps.Refusals().Count(refusals.MessageRate); n != 1 {
		t.Errorf("%d refused", n)
	}
}

func TestOriginsByHTTP(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.Origins = []string{"https://good.example"} })
	b := s.backend(t)
	for origin, want := range map[string]int{"https://good.example": 404, "https://evil.example": 403, "http://127.0.0.1": 404} {
		got := b.post("/request", "client", `{"service":"nobody"}`, "Origin", origin)
		allowed := got.header.Get("Access-Control-Allow-Origin")
		if got.status != want || (allowed == origin) != (want == 404) {
			t.Errorf("%s: status %d, allowed %q", origin, got.status, allowed)
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodOptions, b.url+"/request", http.NoBody)
	r.Header.Set("Origin", "https://good.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	if got := b.do(r); got.status != 204 || !strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
}

// Everything that has part of a handshake asks for a socket, and nothing is answered where HTTP is off.
func TestSocketsBesideHTTP(t *testing.T) {
	const head = " HTTP/1.1\r\nHost: x\r\n"
	tests := map[string]struct {
		request string
		off     bool
		status  int
	}{
		"off":                     {"POST /request" + head + "Content-Length: 2\r\n\r\n{}", true, 405},
		"another path":            {"POST /other" + head + "Content-Length: 2\r\n\r\n{}", false, 405},
		"another method":          {"GET /request" + head + "\r\n", false, 405},
		"a socket":                {strings.Replace(fmt.Sprintf(upgrade, "x"), "GET /", "GET /request", 1), false, 101},
		"a socket without a key":  {"GET /request" + head + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false, 400},
		"no host":                 {"POST /request HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", false, 405},
		"a line feed alone":       {"POST /request HTTP/1.1\nHost: x\r\n\r\n", false, 400},
		"a body sent in pieces":   {"POST /request" + head + "Transfer-Encoding: chunked\r\nAuthorization: Basic Y2xpZW50Og==\r\n\r\n2\r\n{}\r\n0\r\n\r\n", false, 400},
		"HTTP/1.0, as of proxies": {"POST /request HTTP/1.0\r\nHost: x\r\nAuthorization: Basic Y2xpZW50Og==\r\nContent-Length: 20\r\n\r\n" + `{"service":"nobody"}`, false, 404},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newWebServer(t, func(l *Limits) { l.HTTP = !test.off })
			p := s.connect()
			p.write([]byte(test.request))
			r, err := http.ReadResponse(p.br, nil)
			if err != nil || r.StatusCode != test.status {
				t.Fatalf("response %v, err %v; want %d", r, err, test.status)
			}
			_ = r.Body.Close()
		})
	}
}

// The head of the first request may come in any pieces, and requests may be sent without waiting for answers.
func TestPiecesOfRequests(t *testing.T) {
	s := newWebServer(t, nil)
	one := "POST /request HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2xpZW50Og==\r\nContent-Length: 20\r\n\r\n" + `{"service":"nobody"}`
	p := s.connect()
	for _, c := range []byte(one) {
		p.write([]byte{c})
	}
	p.write([]byte(one + one))
	for range 3 {
		r, err := http.ReadResponse(p.br, nil)
		if err != nil || r.StatusCode != 404 {
			t.Fatalf("%v %v", r, err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
}

func TestHTTPOverTLS(t *testing.T) {
	pair, _, _ := loadPair(t)
	s := newServer(t, pair.Config(), withHTTP)
	b := s.backend(t)
	b.url = strings.Replace(b.url, "http:", "https:", 1)
	for range 2 {
		if got := b.post("/request", "client", `{"service":"nobody"}`); got.status != 404 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// A connection that has not authenticated gives way to others, also when it has asked for no socket.
func TestHTTPGivesWay(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.Connections, l.Unauthenticated = 4, 2 })
	silent := s.connect()
	silent.write([]byte("POST /request HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"))
	if r, err := http.ReadResponse(silent.br, nil); err != nil || r.StatusCode != 401 || !r.Close {
		t.Fatalf("%v %v", r, err)
	}
	if rest, err := io.ReadAll(silent.br); err != nil {
		t.Errorf("%q, %v; want the end", rest, err)
	}
	eventually(t, "it is gone", func() bool { return s.Live() == 0 })
	var waiting []*peer
	for range 3 {
		p := s.connect()
		if r := p.ask("OPTIONS", "/request", ""); r.StatusCode != 204 || r.Close {
			t.Fatalf("%v", r)
		}
		waiting = append(waiting, p)
	}
	if rest, err := io.ReadAll(waiting[0].br); err != nil {
		t.Errorf("the oldest got %q, %v; want the end", rest, err)
	}
	for _, p := range waiting[1:] {
		if r := p.ask("POST", "/request", `{"service":"nobody"}`, basic("client")...); r.StatusCode != 404 {
			t.Errorf("one that is not the oldest got %s", r.Status)
		}
	}
	// Those have authenticated, and stay.
	for range 2 {
		p := s.connect()
		p.ask("OPTIONS", "/request", "")
		waiting = append(waiting, p)
	}
	for _, p := range waiting[1:3] {
		if r := p.ask("POST", "/request", `{"service":"nobody"}`, basic("client")...); r.StatusCode != 404 {
			t.Errorf("one that has authenticated got %s", r.Status)
		}
	}
}

// A body that does not come hurts nobody else, and is given up in time.
func TestSlowBody(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.HTTPBodyTimeout = 50 * time.Millisecond })
	p := s.connect()
	p.write([]byte("POST /request HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Y2xpZW50Og==\r\nContent-Length: 20\r\n\r\n{"))
	r, err := http.ReadResponse(p.br, nil)
	if err != nil || r.StatusCode != 408 {
		t.Fatalf("%v %v", r, err)
	}
	_ = r.Body.Close()
	if n := s.deps.Refusals().Count(refusals.BodyTimeout); n != 1 {
		t.Errorf("%d refused", n)
	}
}

// A request that is under way is answered when the router stops, and what is idle ends at once.
func TestStopWithRequestsUnderWay(t *testing.T) {
	s := newWebServer(t, nil)
	service := s.login("service:s")
	idle, busy := s.backend(t), s.backend(t)
	if got := idle.post("/request", "client", `{"service":"nobody"}`); got.status != 404 {
		t.Fatal(got)
	}
	answered := make(chan result, 1)
	go func() { answered <- busy.post("/request", "client", `{"service":"s"}`) }()
	m := service.envelope()
	s.StopListening()
	eventually(t, "the idle one is gone", func() bool { return s.Live() == 2 })
	service.text(fmt.Sprintf(`{"service_name":"s","status_code":200,"request_id":%q,"resource_id":%q,"payload":1}`, m.RequestID, m.ResourceID))
	if got := <-answered; got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	eventually(t, "the busy one is gone", func() bool { return s.Live() == 1 })
}

// A service that never answers is timed out by the router's clock.
func TestRequestByHTTPTimesOut(t *testing.T) {
	s := newWebServer(t, nil)
	settings := *s.deps.Settings.Load()
	settings.RequestTimeout = time.Millisecond
	s.deps.Settings.Store(&settings)
	s.login("service:s")
	if got := s.backend(t).post("/request", "client", `[{"service":"s","request_id":"a"},{"service":"nobody"}]`); got.status != 200 ||
		!strings.Contains(got.body, `"status_code":504,"request_id":"a"`) || !strings.Contains(got.body, `"status_code":404`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
