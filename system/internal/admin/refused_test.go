package admin

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
)

// slowQuestion never sends all of its body.
const slowQuestion = "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"

// explaining is a server whose questions read their bodies, with its log.
func explaining(t *testing.T, change func(*Options)) (s *Server, log *bytes.Buffer, reading chan struct{}) {
	t.Helper()
	log, reading = new(bytes.Buffer), make(chan struct{}, 8)
	s = listen(t, &fake{}, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(log, nil))
		o.Explain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reading <- struct{}{}
			if _, err := io.ReadAll(r.Body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
		})
		change(o)
	})
	return s, log, reading
}

// refusedOnce checks the metric and the log of one cause.
func refusedOnce(t *testing.T, s *Server, log *bytes.Buffer, c cause) {
	t.Helper()
	get(t, s, "/metrics").want(t, http.StatusOK, fmt.Sprintf("strowger_admin_refused_total{cause=%q} 1\n", c.name))
	want := fmt.Sprintf("level=WARN msg=\"admin pages refused a request\" cause=%s setting=%s remote=127.0.0.1:", c.name, c.setting)
	if n := strings.Count(log.String(), want); n != 1 {
		t.Errorf("%d lines with %s, want 1:\n%s", n, want, log.String())
	}
}

// One question more than Questions is told the setting; the log and a metric have it too.
func TestTooManyQuestions(t *testing.T) {
	s, log, reading := explaining(t, func(o *Options) { o.Questions, o.ReadTimeout = 2, time.Hour })
	for range 2 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, slowQuestion)
		<-reading
	}
	if got := raw(t, s, slowQuestion); !strings.Contains(got, " 503 ") || !strings.Contains(got, "admin.questions") {
		t.Errorf("one too many gets %q", got)
	}
	refusedOnce(t, s, log, tooManyQuestions)
}

// So is one whose body does not come within ReadTimeout.
func TestLateBody(t *testing.T) {
	s, log, _ := explaining(t, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
	if got := raw(t, s, slowQuestion); !strings.Contains(got, " 400 ") || !strings.Contains(got, "within 200ms (admin.read_timeout)") {
		t.Errorf("a slow one gets %q", got)
	}
	refusedOnce(t, s, log, tooSlow)
}

// A quarter of the connections may ask, unless it is set, and never more than there are connections.
func TestQuestionsHaveADefault(t *testing.T) {
	for name, test := range map[string]struct{ connections, questions, want int }{
		"by default":        {0, 0, 8},
		"a quarter":         {100, 0, 25},
		"one at least":      {2, 0, 1},
		"as set":            {10, 3, 3},
		"not more than all": {10, 50, 10},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := Options{Address: "x", Source: &fake{}, Log: slog.New(slog.DiscardHandler),
				Connections: test.connections, Questions: test.questions}.withDefaults()
			if err != nil || o.Questions != test.want {
				t.Errorf("%d questions, %v, want %d", o.Questions, err, test.want)
			}
		})
	}
}

// A cause has a line a minute, which says how many had none.
func TestRefusedLines(t *testing.T) {
	var log bytes.Buffer
	r := newRefused(slog.New(slog.NewTextHandler(&log, nil)))
	c := clocktest.New()
	r.clock = c
	for range 1000 {
		r.add(tooMany, "192.0.2.1:1")
		c.Advance(time.Millisecond)
	}
	c.Advance(time.Minute)
	r.add(tooMany, "192.0.2.1:1")
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "suppressed=999") || r.total(tooMany) != 1001 {
		t.Errorf("%d counted, %d lines:\n%s", r.total(tooMany), n, log.String())
	}
}
