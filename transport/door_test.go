package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// Peers that say nothing keep nobody out, before and after the handshake.
func TestSilentPeersKeepNobodyOut(t *testing.T) {
	for name, silent := range map[string]func(s *server) *peer{
		"without a handshake": func(s *server) *peer { return s.connect() },
		"without a token":     func(s *server) *peer { return s.dial() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated = 8, 4 })
			var peers []*peer
			for range 20 {
				peers = append(peers, silent(s))
			}
			s.login("service:clock").ping("in")
			eventually(t, "the oldest are gone", func() bool { return s.Live() <= 5 })
			if n := s.deps.Refusals().Count(refusals.Unauthenticated); n < 16 {
				t.Errorf("counted %d, want 16 or more", n)
			}
			if n := s.deps.Refusals().Count(refusals.Connections); n != 0 {
				t.Errorf("%d were refused for want of a place", n)
			}
			if _, err := peers[0].br.ReadByte(); err == nil && name == "without a handshake" {
				t.Error("the oldest is still connected")
			}
		})
	}
}

// The close frame says why, and who reads nothing is not waited for.
func TestOldestIsToldToGo(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated = 8, 1 })
	first := s.dial()
	second := s.dial()
	first.closed(frame.CloseAuthTimeout)
	second.login("client").ping("in")
	eventually(t, "one is left", func() bool { return s.Live() == 1 })
}

// Whoever is in keeps its place, and makes way for nobody.
func TestAuthenticatedKeepTheirPlaces(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated = 4, 2 })
	var in []*peer
	for range 3 {
		in = append(in, s.login("client"))
	}
	for range 10 {
		s.dial()
	}
	in = append(in, s.login("service:clock"))
	eventually(t, "only they are left", func() bool { return s.Live() == len(in) })
	r, err := http.ReadResponse(s.connect().br, nil)
	if err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("response %v, err %v; want 503: all places are taken", r, err)
	}
	for _, p := range in {
		p.ping("still here")
	}
	if n := s.deps.Refusals().Count(refusals.Connections); n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
}

// Clients cannot take the places that are kept for services.
func TestPlacesOfServices(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated, l.ServiceReserve = 8, 4, 2 })
	var in []*peer
	for range 6 {
		in = append(in, s.login("client"))
	}
	for range 5 {
		p := s.dial()
		p.present("client")
		p.closed(frame.CloseTryLater)
	}
	for range 2 {
		in = append(in, s.login("service:clock"))
	}
	for _, p := range in {
		p.ping("still here")
	}
	if n := s.deps.Refusals().Count(refusals.ClientPlaces); n != 5 {
		t.Errorf("counted %d, want 5", n)
	}
	if n := s.Clients(); n != 6 {
		t.Errorf("%d clients, want 6", n)
	}
	// A place that a client leaves is for the next one.
	_ = in[0].Close()
	eventually(t, "its place is free", func() bool { return s.Clients() == 5 && s.Live() == 7 })
	s.login("client").ping("in")
	for _, p := range in {
		_ = p.Close()
	}
	eventually(t, "one is left", func() bool { return s.Live() == 1 && s.Clients() == 1 })
}

// A client that is turned away and stays keeps nobody out.
func TestClientsThatAreTurnedAwayGiveWay(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated, l.ServiceReserve = 8, 4, 2 })
	for range 6 {
		s.login("client")
	}
	for n := range 6 {
		s.dial().present("client") // and stays
		eventually(t, "it is turned away", func() bool {
			return s.deps.Refusals().Count(refusals.ClientPlaces) == int64(n)+1 && (s.door.len() > 0 || s.Live() < 8)
		})
	}
	s.login("service:clock").ping("in")
}

func TestClients(t *testing.T) {
	for _, tc := range []struct{ connections, reserve, want int }{{19000, 64, 18936}, {50, 64, 38}, {3, 64, 3}, {4, 64, 3}, {50, 0, 50}} {
		if got := (&Limits{ServiceReserve: tc.reserve}).Clients(tc.connections); got != tc.want {
			t.Errorf("%d places, %d kept: %d, want %d", tc.connections, tc.reserve, got, tc.want)
		}
	}
}

// A place is left once, however a connection ends.
func TestDoorIsEmptyAtTheEnd(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated = 100, 50 })
	left, refused, in := s.dial(), s.connect(), s.login("client")
	bad := s.dial()
	bad.text(`{"service":"authentication","token":{"name":"none","hash":"x"}}`)
	bad.status(401)
	if n := s.door.len(); n != 3 {
		t.Errorf("%d wait, want 3: one silent, one bare, one with a bad token", n)
	}
	refused.write([]byte("nonsense\r\n\r\n"))
	for _, p := range []*peer{left, refused, in, bad} {
		_ = p.Close()
	}
	eventually(t, "nobody is left", func() bool { return s.Live() == 0 })
	if n := s.door.len(); n != 0 {
		t.Errorf("%d wait, want none", n)
	}
}

func TestCapacity(t *testing.T) {
	for name, tc := range map[string]struct {
		connections, descriptors int
		want                     int
		short                    bool
	}{
		"any number":     {19000, 0, 19000, false},
		"enough":         {19000, 19096, 19000, false},
		"one too few":    {19000, 19095, 18999, true},
		"few":            {19000, 1024, 928, true},
		"hardly any":     {19000, 100, 50, true},
		"few are needed": {50, 1024, 50, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, short := Capacity(&Limits{Connections: tc.connections}, tc.descriptors)
			if got != tc.want || short != tc.short {
				t.Errorf("%d, %t; want %d, %t", got, short, tc.want, tc.short)
			}
		})
	}
}

// TestDescriptors: as many descriptors as are needed are enough, and one fewer is not.
func TestDescriptors(t *testing.T) {
	l := &Limits{Connections: 19000}
	need := Descriptors(l.Connections)
	if got, short := Capacity(l, need); got != l.Connections || short {
		t.Errorf("with %d: %d connections, short %t; want all", need, got, short)
	}
	if got, short := Capacity(l, need-1); got != l.Connections-1 || !short {
		t.Errorf("with %d: %d connections, short %t; want one connection fewer", need-1, got, short)
	}
}

// TestDocumentedDescriptors: the documents say the numbers that hold.
func TestDocumentedDescriptors(t *testing.T) {
	for file, want := range map[string]string{
		"../docs/configuration.md": fmt.Sprintf("The process needs %d file descriptors more than that", Descriptors(0)),
		"../docs/protocol.md":      fmt.Sprintf("While %d of them are open", spareDescriptors/4),
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q", file, want)
		}
	}
}

func TestUnauthenticatedIsAtMostHalf(t *testing.T) {
	for _, tc := range []struct{ connections, setting, want int }{{19000, 9500, 9500}, {50, 9500, 25}, {50, 10, 10}, {1, 9500, 1}, {50, 0, 0}} {
		l := &Limits{Connections: tc.connections, Unauthenticated: tc.setting}
		if got := l.unauthenticated(); got != tc.want {
			t.Errorf("%d of %d: bound %d, want %d", tc.setting, tc.connections, got, tc.want)
		}
	}
}

// Connections get a quarter of a second to show a token, however many come.
func TestOldestHasItsTime(t *testing.T) {
	var d door
	if got := d.early(1, time.Now()); got != 0 {
		t.Errorf("nobody waits: %v, want 0", got)
	}
	p := d.enter(nil)
	for name, tc := range map[string]struct {
		limit int
		age   time.Duration
		want  time.Duration
	}{
		"no bound":         {0, 0, 0},
		"room":             {2, 0, 0},
		"none, at once":    {1, 0, firstWord},
		"none, some later": {1, firstWord - time.Millisecond, time.Millisecond},
		"none, in time":    {1, firstWord, 0},
		"none, much later": {1, time.Hour, 0},
	} {
		if got := d.early(tc.limit, p.since.Add(tc.age)); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// When all places are taken, those that wait have their time too, however few they are.
func TestOldestHasItsTimeWhenAllPlacesAreTaken(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections, l.Unauthenticated = 4, 2 })
	for range 2 {
		s.login("client")
	}
	s.dial()
	oldest := func() time.Time {
		s.door.mu.Lock()
		defer s.door.mu.Unlock()
		return s.door.waiting.Front().Value.(*place).since
	}()
	soon := oldest.Add(firstWord - time.Millisecond)
	if got := s.early(soon); got != 0 {
		t.Errorf("with a place left: %v, want 0", got)
	}
	s.login("client")
	if got := s.early(soon); got != time.Millisecond {
		t.Errorf("with none left: %v, want 1ms", got)
	}
}

// A connection that is being closed to make room uses up no token.
func TestWhoGivesWayKeepsItsToken(t *testing.T) {
	for name, role := range map[string]actors.Role{"client": actors.Client, "service": actors.Service} {
		t.Run(name, func(t *testing.T) {
			var d door
			near, far := net.Pipe()
			defer far.Close()
			p := d.enter(near)
			if err := d.stays(p); err != nil {
				t.Errorf("before: %v", err)
			}
			d.makeRoom()
			err := d.stays(p)
			if role == actors.Client {
				err = d.seat(p, 10)
			}
			if !errors.Is(err, actors.ErrGivenWay) || d.seated() != 0 {
				t.Errorf("got %v and %d seated, want ErrGivenWay and none", err, d.seated())
			}
			d.end(p, false)
			if d.seated() != 0 {
				t.Errorf("%d seated at the end", d.seated())
			}
		})
	}
}
