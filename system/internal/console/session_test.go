package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/client"
)

// site is a console that a real HTTP server serves.
type site struct {
	t       *testing.T
	console *Console
	clock   *clocktest.Clock
	url     string
	client  *http.Client
}

// serve has a server answer for the console, which asks everybody for the password.
func serve(t *testing.T, start func(http.Handler) *httptest.Server, change func(*Options)) *site {
	t.Helper()
	c, clock := newConsole(t, func(o *Options) {
		o.TrustLoopback = false
		if change != nil {
			change(o)
		}
	})
	server := start(c)
	t.Cleanup(server.Close)
	return &site{t: t, console: c, clock: clock, url: server.URL, client: server.Client()}
}

// post sends JSON, with headers that are given as name and value.
func (s *site) post(path, body string, headers ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+Path+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// login sends a password.
func (s *site) login(word string, headers ...string) *http.Response {
	s.t.Helper()
	return s.post("login", fmt.Sprintf(`{"password":%q}`, word), headers...)
}

func trust(proxies ...string) func(*Options) {
	return func(o *Options) { o.TrustedProxies = proxies }
}

// The cookie stays on TLS if the browser has sent the password over it.
func TestSecureCookie(t *testing.T) {
	const proto, https = "X-Forwarded-Proto", "https"
	for name, test := range map[string]struct {
		start   func(http.Handler) *httptest.Server
		trusted func(*Options)
		headers []string
		secure  bool
	}{
		"plain":                        {httptest.NewServer, trust("127.0.0.1"), nil, false},
		"TLS":                          {httptest.NewTLSServer, nil, nil, true},
		"TLS, and a proxy says http":   {httptest.NewTLSServer, trust("127.0.0.1"), []string{proto, "http"}, true},
		"a trusted proxy":              {httptest.NewServer, trust("127.0.0.1"), []string{proto, https}, true},
		"one in a trusted network":     {httptest.NewServer, trust("127.0.0.0/8"), []string{proto, "HTTPS"}, true},
		"a trusted proxy without TLS":  {httptest.NewServer, trust("127.0.0.1"), []string{proto, "http"}, false},
		"what stands before its word":  {httptest.NewServer, trust("127.0.0.1"), []string{proto, https, proto, "http"}, false},
		"its word after others":        {httptest.NewServer, trust("127.0.0.1"), []string{proto, "http, https"}, true},
		"somebody else's word":         {httptest.NewServer, trust("192.0.2.1"), []string{proto, https}, false},
		"nobody is trusted":            {httptest.NewServer, nil, []string{proto, https}, false},
		"a page that came by HTTPS":    {httptest.NewServer, nil, []string{"Origin", "https://HOST"}, true},
		"a page that came without TLS": {httptest.NewServer, nil, []string{"Origin", "http://HOST"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, test.start, test.trusted)
			_, host, _ := strings.Cut(s.url, "://")
			headers := make([]string, len(test.headers))
			for i, text := range test.headers {
				headers[i] = strings.Replace(text, "HOST", host, 1)
			}
			for what, answer := range map[string]*http.Response{"login": s.login(password, headers...), "logout": s.post("logout", "{}", headers...)} {
				if cookies := answer.Cookies(); answer.StatusCode != http.StatusNoContent || len(cookies) != 1 || cookies[0].Secure != test.secure || !cookies[0].HttpOnly {
					t.Errorf("%s: %d %v, want secure %v", what, answer.StatusCode, cookies, test.secure)
				}
			}
		})
	}
}

// Behind a trusted proxy each client has attempts of its own, and the audit log names it. A peer that is no
// trusted proxy cannot invent an address.
func TestGuessesBehindAProxy(t *testing.T) {
	const forwarded, client, other, proxy = "X-Forwarded-For", "192.0.2.7", "192.0.2.8", "127.0.0.1:"
	for name, test := range map[string]struct {
		trusted func(*Options)
		header  string // of the right password
		value   string
		status  int
		from    string // what the address in the audit log begins with
	}{
		"the client that guesses":           {trust("127.0.0.1"), forwarded, client, http.StatusTooManyRequests, client},
		"another client":                    {trust("127.0.0.1"), forwarded, other, http.StatusNoContent, client},
		"another that the client invents":   {trust("127.0.0.1"), forwarded, other + ", " + client, http.StatusTooManyRequests, client},
		"the client by the standard header": {trust("127.0.0.1"), "Forwarded", "for=" + client, http.StatusTooManyRequests, client},
		"nobody is trusted":                 {nil, forwarded, other, http.StatusTooManyRequests, proxy},
		"another proxy is trusted":          {trust("192.0.2.1"), forwarded, other, http.StatusTooManyRequests, proxy},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, httptest.NewServer, test.trusted)
			for i := range 3 {
				if got := s.login("x", forwarded, client); got.StatusCode != http.StatusUnauthorized {
					t.Fatalf("guess %d: %d", i+1, got.StatusCode)
				}
			}
			if got := s.login(password, test.header, test.value); got.StatusCode != test.status {
				t.Errorf("status %d, want %d", got.StatusCode, test.status)
			}
			entries, _ := s.console.audit.latest(auditKept)
			for _, e := range entries {
				if e.Result == errPassword.Error() && !strings.HasPrefix(e.From, test.from) {
					t.Errorf("the audit log has %q", e.From)
				}
			}
		})
	}
}

// When all have guessed too often together, an address that has sent the right password before may still do so.
func TestGuessesOfManyLockOutNobodyKnown(t *testing.T) {
	const forwarded, known = "X-Forwarded-For", "192.0.2.7"
	s := serve(t, httptest.NewServer, trust("127.0.0.1"))
	if got := s.login(password, forwarded, known); got.StatusCode != http.StatusNoContent {
		t.Fatalf("the first time: %d", got.StatusCode)
	}
	for i := range 3 * together {
		s.console.attempts.failed(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	for from, status := range map[string]int{known: http.StatusNoContent, "192.0.2.8": http.StatusTooManyRequests} {
		if got := s.login(password, forwarded, from); got.StatusCode != status {
			t.Errorf("%s: %d, want %d", from, got.StatusCode, status)
		}
	}
	// Its own guesses still count.
	for range 3 {
		s.login("x", forwarded, known)
	}
	if got := s.login(password, forwarded, known); got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after guesses of its own: %d", got.StatusCode)
	}
}

func TestKnownAddressesAreBounded(t *testing.T) {
	clock := clocktest.New()
	a := newAttempts(3, clock)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range mostKnown + 1 {
		a.succeeded(address(i))
		clock.Advance(time.Nanosecond)
	}
	_, first := a.known[address(0)]
	_, second := a.known[address(1)]
	if len(a.known) != mostKnown || first || !second {
		t.Errorf("%d are known, the first: %v, the second: %v", len(a.known), first, second)
	}
}

// session logs in and returns the cookie.
func (s *site) session() string {
	s.t.Helper()
	cookies := s.login(password).Cookies()
	if len(cookies) != 1 {
		s.t.Fatalf("cookies %v", cookies)
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

// token asks for a token with a cookie.
func (s *site) token(cookie string) (made client.Token, status int) {
	s.t.Helper()
	answer := s.post("token", "{}", "Cookie", cookie)
	if answer.StatusCode == http.StatusOK {
		if err := json.NewDecoder(answer.Body).Decode(&made); err != nil {
			s.t.Fatal(err)
		}
	}
	return made, answer.StatusCode
}

// connect connects with a token, and not again. What ends the connection is sent to the channel.
func (s *site) connect(token client.Token) (*client.Client, <-chan error, error) {
	s.t.Helper()
	unused, ended := true, make(chan error, 1)
	c, err := client.Dial(s.t.Context(), strings.Replace(s.url, "http", "ws", 1)+Path+"ws",
		func(context.Context) (client.Token, error) {
			if !unused {
				return client.Token{}, errors.New("there is one token")
			}
			unused = false
			return token, nil
		},
		client.Options{OnState: func(state client.State, cause error) {
			if state == client.StateOffline {
				select {
				case ended <- cause:
				default:
				}
			}
		}})
	if err == nil {
		s.t.Cleanup(func() { _ = c.Close() })
	}
	return c, ended, err
}

// mustConnect connects with a cookie, and asks something.
func (s *site) mustConnect(cookie string) (*client.Client, <-chan error) {
	s.t.Helper()
	token, _ := s.token(cookie)
	c, ended, err := s.connect(token)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mustAnswer(c)
	return c, ended
}

func (s *site) mustAnswer(c *client.Client) {
	s.t.Helper()
	if _, err := c.Request(s.t.Context(), Name, "hello", json.RawMessage("{}")); err != nil {
		s.t.Error(err)
	}
}

// mustEnd waits until a connection is closed as one is that may come back.
func (s *site) mustEnd(ended <-chan error) {
	s.t.Helper()
	select {
	case cause := <-ended:
		if closed, ok := errors.AsType[*client.CloseError](cause); !ok || closed.Code != 1001 {
			s.t.Errorf("the connection ended with %v", cause)
		}
	case <-time.After(10 * time.Second):
		s.t.Error("the connection is open")
	}
}

// A logout ends the session for all who have its cookie: connections, tokens that were not used yet, and new ones. Others
// stay.
func TestLogoutEndsTheSession(t *testing.T) {
	s := serve(t, httptest.NewServer, nil)
	mine, others := s.session(), s.session()
	_, page := s.mustConnect(mine)
	_, copied := s.mustConnect(mine)
	other, _ := s.mustConnect(others)
	unused, status := s.token(mine)
	if status != http.StatusOK {
		t.Fatalf("token: %d", status)
	}
	if got := s.post("logout", "{}", "Cookie", mine); got.StatusCode != http.StatusNoContent {
		t.Errorf("logout: %d", got.StatusCode)
	}
	s.mustEnd(page)
	s.mustEnd(copied)
	if _, status := s.token(mine); status != http.StatusUnauthorized {
		t.Errorf("a token with the cookie: %d", status)
	}
	if _, _, err := s.connect(unused); err == nil {
		t.Error("a token of the session is good")
	}
	s.mustAnswer(other)
	if _, status := s.token(others); status != http.StatusOK {
		t.Errorf("another session: %d", status)
	}
}

// A connection that a logout did not see, because it was being opened, is closed with the next sample.
func TestLogoutDuringAHandshake(t *testing.T) {
	s := serve(t, httptest.NewServer, nil)
	cookie := s.session()
	_, ended := s.mustConnect(cookie)
	_, secret, _ := strings.Cut(cookie, "=")
	if !s.console.logins.end(secret) {
		t.Fatal("there is no session")
	}
	s.clock.Advance(sampleEvery)
	s.mustEnd(ended)
}

// One login too many takes the place of the oldest session, whose connections end too.
func TestSessionsAreBounded(t *testing.T) {
	s := serve(t, httptest.NewServer, nil)
	first := s.session()
	_, ended := s.mustConnect(first)
	for range mostLogins {
		s.clock.Advance(time.Nanosecond)
		s.console.logins.begin()
	}
	if n := len(s.console.logins.open); n != mostLogins {
		t.Errorf("%d sessions are kept", n)
	}
	s.clock.Advance(sampleEvery)
	s.mustEnd(ended)
	if _, status := s.token(first); status != http.StatusUnauthorized {
		t.Errorf("the oldest session: %d", status)
	}
}
