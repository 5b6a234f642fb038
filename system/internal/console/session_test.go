package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// site is a console behind a real HTTP server.
type site struct {
	t      *testing.T
	url    string
	client *http.Client
}

// serve has a server answer for the console, which asks everybody for the password.
func serve(t *testing.T, start func(http.Handler) *httptest.Server, change func(*Options)) *site {
	t.Helper()
	c, _ := newConsole(t, func(o *Options) {
		o.TrustLoopback = false
		if change != nil {
			change(o)
		}
	})
	server := start(c)
	t.Cleanup(server.Close)
	return &site{t: t, url: server.URL, client: server.Client()}
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
