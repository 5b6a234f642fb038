package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/system/internal/introspect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

// fake is a source that says what it is told to.
type fake struct {
	tree     introspect.Node
	problems []introspect.Problem
	metrics  introspect.Metrics
	letters  []introspect.DeadLetter
	lost     []introspect.Problem
	notes    []introspect.Problem
	cluster  introspect.Cluster
	refusals []introspect.Refusal
	panics   bool
}

func (f *fake) check() {
	if f.panics {
		panic("the source is broken")
	}
}

func (f *fake) Tree() introspect.Node                { f.check(); return f.tree }
func (f *fake) Ready() []introspect.Problem          { f.check(); return f.problems }
func (f *fake) Lost() []introspect.Problem           { f.check(); return f.lost }
func (f *fake) Notes() []introspect.Problem          { f.check(); return f.notes }
func (f *fake) Cluster() introspect.Cluster          { f.check(); return f.cluster }
func (f *fake) Metrics() introspect.Metrics          { f.check(); return f.metrics }
func (f *fake) Refusals() []introspect.Refusal       { f.check(); return f.refusals }
func (f *fake) DeadLetters() []introspect.DeadLetter { f.check(); return f.letters }

// listen runs a server until the test ends.
func listen(t *testing.T, source Source, change func(*Options)) *Server {
	t.Helper()
	o := Options{Address: "127.0.0.1:0", Source: source, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := s.Err(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return s
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask makes one request on a connection of its own.
func ask(t *testing.T, s *Server, method, path, host string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = path // as it is, without cleaning
	if host != "" {
		r.Host = host
	}
	r.Close = true
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func get(t *testing.T, s *Server, path string) answer {
	t.Helper()
	return ask(t, s, http.MethodGet, path, "")
}

// want fails unless the answer has the status and the body each of the texts.
func (a answer) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("no %q in %s", text, a.body)
		}
	}
}
