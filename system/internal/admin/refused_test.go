package admin

import (
	"bufio"
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
	"strowger/system/internal/introspect"
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

// logged is a server with its log.
func logged(t *testing.T, source Source, change func(*Options)) (*Server, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	return listen(t, source, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(log, nil))
		change(o)
	}), log
}

// A request that does not come in time is counted and named, whether it begins or not.
func TestLateHead(t *testing.T) {
	for name, request := range map[string]string{
		"silent":      "",
		"half a head": "GET /healthz HTTP/1.1\r\nHost: loc",
	} {
		t.Run(name, func(t *testing.T) {
			s, log := logged(t, &fake{}, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
			raw(t, s, request)
			refusedOnce(t, s, log, tooSlow)
		})
	}
}

// So is a second request of a connection.
func TestLateSecondHead(t *testing.T) {
	s, log := logged(t, &fake{}, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	br := bufio.NewReader(conn)
	response, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	fmt.Fprint(conn, "GET /healthz HTT")
	// net/http answers part of a line with 400 when its time is over.
	_, _ = io.Copy(io.Discard, br)
	refusedOnce(t, s, log, tooSlow)
}

// A connection that waits too long for its next request is counted, and no line is written about it.
func TestIdleConnection(t *testing.T) {
	s, log := logged(t, &fake{}, func(o *Options) { o.IdleTimeout = 200 * time.Millisecond })
	if got := raw(t, s, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("got %q", got)
	}
	get(t, s, "/metrics").want(t, http.StatusOK, "strowger_admin_refused_total{cause=\"idle_timeout\"} 1\n",
		"strowger_admin_refused_total{cause=\"read_timeout\"} 0\n")
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
}

// Whoever does not read an answer within WriteTimeout is cut off.
func TestAnswerThatIsNotRead(t *testing.T) {
	source := &fake{letters: []introspect.DeadLetter{{Stack: strings.Repeat("x", 32<<20)}}}
	s, log := logged(t, source, func(o *Options) { o.WriteTimeout = 200 * time.Millisecond })
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /deadletters HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for deadline := time.Now().Add(patience); s.o.refused.total(tooSlowReader) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("it is not cut off")
		}
		<-time.After(10 * time.Millisecond)
	}
	refusedOnce(t, s, log, tooSlowReader)
}

// A head that is longer than HeaderBytes is refused, one as long is not. net/http adds 4 KiB.
func TestLongHead(t *testing.T) {
	head := func(bytes int) string {
		return "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + strings.Repeat("x", bytes) + "\r\n\r\n"
	}
	s, log := logged(t, &fake{}, func(o *Options) { o.HeaderBytes = 16 << 10 })
	if got := raw(t, s, head(16<<10)); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("16 KiB: %q", got)
	}
	if got := raw(t, s, head(21<<10)); got != "" && !strings.HasPrefix(got, "HTTP/1.1 431") {
		t.Errorf("21 KiB: %q", got)
	}
	refusedOnce(t, s, log, tooLong)
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
