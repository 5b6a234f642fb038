package transport

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// handOver has another process take over what can cross. Meanwhile is called while nothing is read. The other process has
// a descriptor of each socket, so it is not seen to end.
func (s *server) handOver(handed bool, meanwhile func()) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h, err := s.Hold(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	states, _, err := h.Describe(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := h.Collect(ctx, states)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range all {
		fd, err := unix.Dup(c.FD())
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = unix.Close(fd) })
	}
	meanwhile()
	h.Thaw(handed)
}

// What is published while another process takes over is not taken by this one, unless that fails.
func TestPublishDuringAnUpgrade(t *testing.T) {
	for _, handed := range []bool{true, false} {
		s := newWebServer(t, nil)
		page := s.login("client:s")
		b, streamed := s.backend(t), s.backend(t)
		e := s.backend(t).listen("service:s")
		stream := []string{"Authorization", "Stream " + e.secret}
		// Both have a connection already.
		if got := b.post("/publish", "service:s", `{"payload":1}`); got.status != 200 {
			t.Fatal(got)
		}
		if got := streamed.post("/publish", "", `{"service":"s","payload":2}`, stream...); got.status != 202 {
			t.Fatal(got)
		}
		page.envelope()
		page.envelope()
		published, posted := make(chan result, 1), make(chan result, 1)
		s.handOver(handed, func() {
			begun := s.web.Stats().Publishes
			go func() { published <- b.post("/publish", "service:s", `[{"payload":3},{"payload":4}]`) }()
			got := <-postedOr(published, 100*time.Millisecond)
			if got.status != 0 {
				t.Errorf("answered %d %s while nothing is read", got.status, got.body)
			}
			go func() { posted <- streamed.post("/publish", "", `{"service":"s","payload":5}`, stream...) }()
			if got := <-postedOr(posted, 100*time.Millisecond); got.status != 0 {
				t.Errorf("answered %d %s while nothing is read", got.status, got.body)
			}
			if now := s.web.Stats().Publishes; now != begun {
				t.Errorf("%d messages were taken while nothing is read", now-begun)
			}
		})
		got, answer := <-published, <-posted
		if !handed {
			if got.status != 200 || answer.status != 202 {
				t.Fatalf("%v, %v", got, answer)
			}
			for range 3 {
				page.envelope()
			}
			continue
		}
		for _, r := range []result{got, answer} {
			if r.status != 503 {
				t.Errorf("%d %s; want 503", r.status, r.body)
			}
		}
		e.closed(1001)
		eventually(t, "all have ended", func() bool { return s.Live() == 0 })
	}
}

// A request whose answer goes to another process is told so. Part of a list may have been answered before.
func TestRequestDuringAnUpgrade(t *testing.T) {
	s := newWebServer(t, nil)
	service := s.login("service:s")
	answered := make(chan result, 1)
	go func() {
		answered <- s.backend(t).post("/request", "client", `[{"service":"nobody","request_id":"a"},{"service":"s","request_id":"b"}]`)
	}()
	service.envelope() // the first one has been answered
	s.handOver(true, func() {})
	got := <-answered
	if got.status != 200 || !strings.Contains(got.body, `"status_code":404,"request_id":"a"`) ||
		!strings.Contains(got.body, `"status_code":503,"request_id":"b"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	eventually(t, "it has ended", func() bool { return s.Live() == 0 })
}
