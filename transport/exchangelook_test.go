package transport

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/transport/frame"
)

func (s *server) seen() []Connection {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := s.Connections(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Connection) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// An operator sees connections by HTTP beside the others, and ends them.
func TestConnectionsByHTTPAreSeen(t *testing.T) {
	s := newWebServerWith(t, namedUsers{}, nil)
	page := s.login("client:s")
	e := s.backend(t).listen("ann")
	caller, stranger := s.connect(), s.connect()
	caller.ask("POST", "/request", `{"service":"nobody"}`, basic("bob")...)
	stranger.ask("OPTIONS", "/request", "")
	var all []Connection
	eventually(t, "what was written is counted", func() bool {
		all = s.seen()
		return !slices.ContainsFunc(all, func(c Connection) bool { return c.Out == 0 })
	})
	if len(all) != 4 || len(all) != s.Live() {
		t.Fatalf("%d connections are seen, %d are there", len(all), s.Live())
	}
	for i, want := range []struct {
		user string
		http bool
	}{{"", false}, {"ann", true}, {"bob", true}, {"", true}} {
		c := all[i]
		if c.HTTP != want.http || c.Peer != nil && c.Peer.UserName != want.user || (c.Peer == nil) != (i == 3) {
			t.Errorf("connection %d: %+v", i, c)
		}
		if c.In == 0 || c.Remote == nil || c.Since.IsZero() {
			t.Errorf("connection %d: %+v", i, c)
		}
	}
	end := func(i int) {
		t.Helper()
		if found, err := s.Disconnect(t.Context(), all[i].Number); !found || err != nil {
			t.Errorf("connection %d: found %t, %v", i, found, err)
		}
	}
	end(1)
	e.closed(1001)
	for i, p := range []*peer{caller, stranger} {
		end(i + 2)
		if rest, err := io.ReadAll(p.br); err != nil || len(rest) > 0 {
			t.Errorf("%q, %v; want the end", rest, err)
		}
	}
	page.ping("here")
	eventually(t, "only the page is there", func() bool { return s.Live() == 1 && len(s.seen()) == 1 })
	if found, _ := s.Disconnect(t.Context(), all[1].Number); found {
		t.Error("one that is gone was found")
	}
}

// A drain closes streams in their turn, as it closes sockets.
func TestDrainOfStreams(t *testing.T) {
	s := newWebServer(t, nil)
	hands := clocktest.New()
	service := s.backend(t).listen("service:s")
	first := s.backend(t).listen("client:s")
	page := s.login("client:s")
	last := s.backend(t).listen("client:s")
	ended := s.drained(hands, 2*drainTick, time.Hour)
	next := func() {
		for range 2 {
			hands.AwaitTimers(t, 1)
			hands.Advance(drainTick)
		}
	}
	last.closed(1001)
	page.ping("here")
	next()
	page.closed(frame.CloseGoingAway)
	if n := s.HTTP().Streams; n != 2 {
		t.Errorf("%d streams are open, want 2", n)
	}
	next()
	first.closed(1001)
	if n := s.HTTP().Streams; n != 1 {
		t.Errorf("%d streams are open, want that of the service", n)
	}
	next()
	service.closed(1001)
	<-ended
}

// Behind a proxy a connection has requests of several clients. Each is known by its own address.
func TestAddressOfEachRequest(t *testing.T) {
	var claims sync.Map
	s := listen(t, nil, nil, withHTTP)
	s.proxies = prefixes([]string{"127.0.0.1"})
	s.deps.Tokens = countingTokens{&claims}
	s.begin()
	p := s.connect()
	for _, test := range []struct{ token, address string }{
		{"client", "192.0.2.1"}, {"client", "192.0.2.1"}, {"client:x", "192.0.2.2"}, {"client:x", "192.0.2.3"}, {"client", "192.0.2.1"},
	} {
		p.ask("POST", "/request", `{"service":"nobody"}`, append(basic(test.token), "X-Forwarded-For", test.address)...)
		all := s.seen()
		if len(all) != 1 || all[0].Remote.String() != test.address || all[0].Peer.Remote.String() != test.address {
			t.Errorf("%s from %s is seen as %+v", test.token, test.address, all)
		}
	}
	for token, want := range map[string]int{"client": 2, "client:x": 2} {
		if n, _ := claims.Load(token); n != want {
			t.Errorf("%s was claimed %v times, want %d", token, n, want)
		}
	}
	p.ask("POST", "/request", `{}`, append(basic("nobody"), "X-Forwarded-For", "192.0.2.9")...)
	if _, err := io.ReadAll(p.br); err != nil {
		t.Error(err)
	}
}
