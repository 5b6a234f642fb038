package transport

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// watched is a listener that notes what happens when it is asked for a connection.
type watched struct {
	net.Listener
	open  func() int
	most  atomic.Int64 // connections that were open when another one was asked for
	ended chan error   // gets the error of a call that failed
}

// Accept implements net.Listener.
func (w *watched) Accept() (net.Conn, error) {
	w.most.Store(max(w.most.Load(), int64(w.open())))
	conn, err := w.Listener.Accept()
	if err != nil {
		w.ended <- err
	}
	return conn, err
}

// leaving starts a server whose places are all taken, half of them by connections that have not authenticated. Those
// leave only when unblock is called. It returns when as many leave as may, and others wait to be taken in.
func leaving(t *testing.T) (s *server, w *watched, most int, unblock func()) {
	t.Helper()
	const capacity, more = 32, 30
	s = listen(t, nil, nil, func(l *Limits) { l.Connections, l.Unauthenticated = capacity, capacity/2 })
	w = &watched{Listener: s.listener, open: s.Live, ended: make(chan error, 1)}
	s.listener = w
	s.begin()
	for range capacity / 2 {
		s.login("client")
	}
	for range capacity / 2 {
		s.dial()
	}
	unblock = s.block()
	for range more {
		s.connect()
	}
	most = capacity + s.leavers()
	eventually(t, "as many leave as may", func() bool { return s.Live() >= most })
	return s, w, most, unblock
}

// TestLeaversAreBounded: connections that give way have descriptors until they are closed. While many do, nothing is
// accepted.
func TestLeaversAreBounded(t *testing.T) {
	s, w, most, unblock := leaving(t)
	if n := s.Live(); n != most {
		t.Errorf("%d connections have descriptors, want %d", n, most)
	}
	unblock()
	late := s.dial()
	if n := int(w.most.Load()); n >= most {
		t.Errorf("one more was accepted while %d were open, want fewer than %d", n, most)
	}
	late.login("service:a").ping("in")
	eventually(t, "nobody leaves any more", func() bool {
		s.door.mu.Lock()
		defer s.door.mu.Unlock()
		return s.door.leaving == 0
	})
}

// TestStopWhileManyLeave: a stop does not wait for connections that leave.
func TestStopWhileManyLeave(t *testing.T) {
	s, w, _, unblock := leaving(t)
	s.StopListening()
	if err := <-w.ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept ended with %v, want that the listener is closed", err)
	}
	unblock()
}

// held is a connection whose close waits.
type held struct {
	net.Conn
	closing chan struct{}
	until   chan struct{}
}

// Close implements net.Conn.
func (h *held) Close() error {
	close(h.closing)
	<-h.until
	return h.Conn.Close()
}

// TestTurnedAwayHoldTheirTurns: a connection that is turned away has a turn until it is closed, so that no more of them are
// open than there are turns.
func TestTurnedAwayHoldTheirTurns(t *testing.T) {
	s := newServer(t, nil, nil)
	near, far := s.tcpPair(0)
	peer := newPeer(t, far)
	conn := &held{near, make(chan struct{}), make(chan struct{})}
	s.running.Add(1)
	s.take(&opening{server: s.Server, conn: conn}, s.turns.take())
	<-conn.closing
	if n := s.turnsTaken(); n != 1 {
		t.Errorf("%d turns are taken while it is open, want 1", n)
	}
	close(conn.until)
	eventually(t, "the turn is given back", func() bool { return s.turnsTaken() == 0 })
	if r, err := http.ReadResponse(peer.br, nil); err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("response %v, err %v; want 503", r, err)
	}
}

// TestLeavers: as many connections may leave at a time as a quarter of the spare descriptors is for.
func TestLeavers(t *testing.T) {
	for name, tc := range map[string]struct{ connections, descriptors, want int }{
		"many":            {19000, 0, spareDescriptors / 4},
		"few":             {8, 0, 2},
		"one":             {1, 0, 1},
		"few descriptors": {19000, 80, 10},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{opts: Options{Limits: new(atomic.Pointer[Limits]), Descriptors: tc.descriptors}}
			s.opts.Limits.Store(&Limits{Connections: tc.connections})
			if got := s.leavers(); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

// TestCalm: one connection fewer that leaves lets another one in, however it ceased to leave, and so does a stop.
func TestCalm(t *testing.T) {
	for name, end := range map[string]func(d *door, p *place){
		"it is closed":                    func(d *door, p *place) { d.end(p, false) },
		"it was admitted a moment before": func(d *door, p *place) { d.admit(p) },
		"the router stops":                func(d *door, _ *place) { d.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := new(door)
				var places []*place
				for range 2 {
					near, _ := net.Pipe()
					places = append(places, d.enter(near))
				}
				d.calm(1) // nobody leaves
				d.makeRoom()
				d.calm(2)
				d.makeRoom()
				var calm atomic.Bool
				go func() {
					d.calm(2)
					calm.Store(true)
				}()
				synctest.Wait()
				if calm.Load() {
					t.Fatal("two leave and one may, but nobody waits")
				}
				end(d, places[0])
				synctest.Wait()
				if !calm.Load() {
					t.Error("it still waits")
				}
				for _, p := range places {
					d.end(p, false)
				}
				if d.leaving != 0 {
					t.Errorf("%d leave at the end, want none", d.leaving)
				}
			})
		})
	}
}
