package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/actors/refusals"
)

// TestLateRequestIsRefused: a request that is read after its time is over is answered 408 and counted, although it
// is complete.
func TestLateRequestIsRefused(t *testing.T) {
	good := fmt.Sprintf(upgrade, "pbx.example")
	odd := strings.Replace(good, "Host:", "Content-Length: 0\r\nHost:", 1)
	for name, request := range map[string]string{
		"plain": good, "plain, with a frame": good + string(masked(ping, nil)),
		"not plain": odd, "not plain, with a frame": odd + string(masked(ping, nil)),
		"in part": good[:40], "bad": strings.Replace(good, "GET", "POST", 1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, nil)
			late := s.connect()
			eventually(t, "its request is waited for", func() bool { return s.lobby[0].slots.count() == 1 })
			release := s.holdLobby()
			late.write([]byte(request))
			s.runOut()
			release()
			r, err := http.ReadResponse(late.br, nil)
			if err != nil || r.StatusCode != http.StatusRequestTimeout {
				t.Fatalf("response %v, err %v; want 408", r, err)
			}
			eventually(t, "it is gone", func() bool { return s.Live() == 0 })
			if n := s.deps.Refusals().Count(refusals.HeaderTimeout); n != 1 {
				t.Errorf("counted %d, want 1", n)
			}
		})
	}
}

// holdLobby keeps the lobby's poller busy until release: it waits for a lock to forget a peer that has left.
// Meanwhile nobody can enter the lobby.
func (s *server) holdLobby() (release func()) {
	s.t.Helper()
	leaver := s.dial()
	slots := &s.lobby[0].slots
	slots.mu.Lock()
	filled := func() (n int) {
		for _, page := range *slots.pages.Load() {
			for i := range page {
				if page[i].Load() != nil {
					n++
				}
			}
		}
		return n
	}
	before := filled()
	_ = leaver.Close()
	eventually(s.t, "the poller comes to the lock", func() bool { return filled() < before })
	return slots.mu.Unlock
}

// runOut ends the time of all requests that are waited for.
func (s *server) runOut() {
	s.Server.mu.Lock()
	for o := s.openings.first; o != nil; o = o.next {
		o.due = time.Now().Add(-time.Second)
	}
	s.Server.mu.Unlock()
	s.expire()
}
