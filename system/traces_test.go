package system

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"strowger/system/service"
)

// sentSpan is what a collector gets to know of a span.
type sentSpan struct {
	TraceID      string `json:"traceId"`
	SpanID       string `json:"spanId"`
	ParentSpanID string `json:"parentSpanId"`
	Name         string `json:"name"`
	Kind         int    `json:"kind"`
	Start        string `json:"startTimeUnixNano"`
	End          string `json:"endTimeUnixNano"`
	Status       *struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
	} `json:"status"`
	Attributes []struct {
		Key   string            `json:"key"`
		Value map[string]string `json:"value"`
	} `json:"attributes"`
}

// has returns a text among the attributes.
func (s *sentSpan) has(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value["stringValue"]
		}
	}
	return ""
}

// collect returns the URL of a collector, and what it has been sent, in the order in which spans ended.
func collect(t *testing.T, status int) (endpoint string, spans chan sentSpan) {
	t.Helper()
	spans = make(chan sentSpan, 64)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []sentSpan `json:"spans"`
				} `json:"scopeSpans"`
			} `json:"resourceSpans"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/v1/traces" {
			t.Errorf("%s of %q: %s, %v", r.URL, r.Header.Get("Content-Type"), body, err)
		}
		for _, resource := range got.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					spans <- s
				}
			}
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(web.Close)
	return web.URL + "/v1/traces", spans
}

// A request is one span with its outcome, and what a service in the router begins in its handler belongs to it.
func TestTraces(t *testing.T) {
	cfg := testConfig(t)
	endpoint, spans := collect(t, http.StatusOK)
	cfg.Traces.Endpoint = endpoint
	s, stop := startStoppable(t, cfg, &service.Service{Name: "shop", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("buy", func(r service.Request) error {
			_, child := trace.SpanFromContext(r).TracerProvider().Tracer("shop").Start(r, "look in the cellar")
			child.End()
			r.Reply("bought")
			return nil
		})
		s.Handle("fail", func(service.Request) error { return &service.Error{Status: 502} })
		return nil
	}})
	c := member(t, s, user("a.example", nil))
	if _, err := ask(t, c, "shop", "buy", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, c, "shop", "fail", nil); err == nil {
		t.Fatal("a failure was answered as a success")
	}
	if _, err := ask(t, c, "shop", strings.Repeat("x", 1000), nil); err == nil {
		t.Fatal("an unknown topic was answered as a success")
	}
	stop()
	child, bought, failed, unknown := <-spans, <-spans, <-spans, <-spans
	if child.Name != "look in the cellar" || child.TraceID != bought.TraceID || child.ParentSpanID != bought.SpanID || bought.ParentSpanID != "" {
		t.Errorf("got %+v within %+v", child, bought)
	}
	if bought.Name != "request shop" || bought.Kind != 2 || bought.Status != nil || bought.has("strowger.topic") != "buy" ||
		bought.has("strowger.outcome") != "answered" || bought.has("strowger.domain") != "a.example" || bought.has("strowger.subscriber") == "" ||
		bought.Start > bought.End || bought.Start > child.Start || bought.End < child.End {
		t.Errorf("got %+v", bought)
	}
	if failed.has("strowger.outcome") != "server_error" || failed.Status == nil || failed.Status.Code != 2 || failed.Status.Message != "server_error" {
		t.Errorf("got %+v", failed)
	}
	if topic := unknown.has("strowger.topic"); unknown.Status != nil || unknown.has("strowger.outcome") != "client_error" || len(topic) > 300 {
		t.Errorf("got %+v", unknown)
	}
	if m := s.source().Metrics(); m.Traces != 3 || m.TracesSent != 4 || m.TracesFailed != 0 {
		t.Errorf("counted %d traced, %d sent, %d failed", m.Traces, m.TracesSent, m.TracesFailed)
	}
}

// A collector that takes nothing is named in the log, and nobody waits for it.
func TestTracesAreRefused(t *testing.T) {
	cfg := testConfig(t)
	endpoint, _ := collect(t, http.StatusForbidden)
	cfg.Traces.Endpoint = endpoint
	log := new(syncBuffer)
	s, stop := startLogged(t, cfg, slog.New(slog.NewJSONHandler(log, nil)), parrot("a"))
	c := member(t, s, user("", nil))
	if _, err := ask(t, c, "a", "say", nil); err != nil {
		t.Fatal(err)
	}
	stop()
	if m := s.source().Metrics(); m.Traces != 1 || m.TracesSent != 0 || m.TracesFailed != 1 {
		t.Errorf("counted %d traced, %d sent, %d failed", m.Traces, m.TracesSent, m.TracesFailed)
	}
	if text := log.String(); !strings.Contains(text, "traces cannot be sent") || !strings.Contains(text, "traces.endpoint") || !strings.Contains(text, "403") {
		t.Errorf("logged %s", text)
	}
}

// Without traces.endpoint no request is traced.
func TestNoTraces(t *testing.T) {
	s := start(t, testConfig(t), parrot("a"))
	c := member(t, s, user("", nil))
	if _, err := ask(t, c, "a", "say", nil); err != nil {
		t.Fatal(err)
	}
	if s.deps.Tracer != nil || s.source().Metrics().Traces != 0 {
		t.Error("a request was traced")
	}
}
