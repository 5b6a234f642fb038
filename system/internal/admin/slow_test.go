package admin

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Questions whose bodies do not come take no page away, and end.
func TestSlowQuestions(t *testing.T) {
	explain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "slow", http.StatusBadRequest)
		}
	})
	const slow = "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
	s := listen(t, &fake{}, func(o *Options) { o.Explain, o.ReadTimeout = explain, 500*time.Millisecond })
	var conns []net.Conn
	for range 32 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, slow)
		conns = append(conns, conn)
	}
	ended := 0
	for _, conn := range conns {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("a slow question gets %v", err)
		}
		response.Body.Close()
		switch response.StatusCode {
		case http.StatusBadRequest:
			ended++
		case http.StatusServiceUnavailable:
		default:
			t.Errorf("a slow question gets %d", response.StatusCode)
		}
	}
	if ended < 8 {
		t.Errorf("%d questions were given time, want at least 8", ended)
	}
	s2 := listen(t, &fake{}, func(o *Options) { o.Explain, o.ReadTimeout = explain, time.Hour })
	for range 8 {
		conn, err := net.Dial("tcp", s2.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, slow)
	}
	for range 32 {
		if got := raw(t, s2, "GET /healthz HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 200") {
			t.Fatalf("beside slow questions: %q", got)
		}
	}
}

// Bodies that do not come take no page away, whatever is asked and however early the page answers: peers that keep
// their connections open have no more of them than there are places for questions.
func TestSlowBodiesOfAllKinds(t *testing.T) {
	early := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "want more", http.StatusBadRequest) })
	for name, request := range map[string]string{
		"a question that is refused early": "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"one in chunks":                    "POST /explain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{",
		"one with a large body":            "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{",
		"a method that is not answered":    "POST /tree HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
		"a host that is another":           "POST /explain HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100\r\n\r\n{",
		"a page that has no body":          "GET /tree HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			const most, questions = 8, 2
			s := listen(t, &fake{}, func(o *Options) {
				o.Explain, o.ReadTimeout, o.Connections, o.Questions = early, time.Hour, most, questions
			})
			answered := make(chan struct{}, most)
			for range most {
				conn, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprint(conn, request)
				go func() {
					if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
						answered <- struct{}{}
					}
				}()
			}
			for range most - questions {
				select {
				case <-answered:
				case <-time.After(patience):
					t.Fatal("a request whose body does not come is not answered")
				}
			}
			// The server may still be at the end of the connections that it has answered.
			for end := time.Now().Add(patience); !strings.HasPrefix(raw(t, s, "GET /healthz HTTP/1.0\r\n\r\n"), "HTTP/1.0 200"); {
				if time.Now().After(end) {
					t.Fatal("slow bodies take all places")
				}
			}
		})
	}
}

// A connection that has its answer, and is only kept so that the answer is not lost, makes room.
func TestAnsweredConnectionsMakeRoom(t *testing.T) {
	l := newLimiter(nil, 1, newRefused(slog.New(slog.DiscardHandler)))
	connection := func() *limited {
		near, far := net.Pipe()
		t.Cleanup(func() { _, _ = near.Close(), far.Close() })
		return &limited{Conn: near, limiter: l}
	}
	first, second := connection(), connection()
	if !l.enter(first) {
		t.Fatal("there is no room for one")
	}
	l.changed(first, http.StateActive)
	if l.enter(second) {
		t.Fatal("there is room beside one that is answered")
	}
	if err := first.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if !l.enter(second) {
		t.Error("there is no room beside one that has its answer")
	}
}

// A body that came is no reason to end the connection, though the page has not read it.
func TestUnreadBodyKeepsTheConnection(t *testing.T) {
	early := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "want more", http.StatusBadRequest) })
	s := listen(t, &fake{}, func(o *Options) { o.Explain = early })
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	br := bufio.NewReader(conn)
	for _, body := range []string{"", "{}", strings.Repeat("x", 100<<10)} {
		fmt.Fprintf(conn, "POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		response, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("after a body of %d bytes: %v", len(body), err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d, want 400", response.StatusCode)
		}
	}
}
