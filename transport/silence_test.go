package transport

import (
	"log/slog"
	"testing"
	"time"

	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// TestPauseIsNobodysFault: after a time in which the process did not run, idle times begin anew.
func TestPauseIsNobodysFault(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.IdleTimeout = 30 * time.Second })
	now := s.ahead()
	p := s.login("client")
	s.tick(now.Add(29 * time.Second))
	for _, sh := range s.shards {
		sh.post(&tick{now: now.Add(35 * time.Second), slept: true})
	}
	s.tick(now.Add(64 * time.Second))
	if n := s.Live(); n != 1 {
		t.Fatal("closed for the pause")
	}
	s.tick(now.Add(67 * time.Second))
	p.closed(frame.CloseIdle)
}

// TestUnreadIsLife: a peer whose bytes wait to be read is not dead, whoever is late with the reading.
func TestUnreadIsLife(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.IdleTimeout = 10 * time.Second })
	now := r.ahead()
	near, far := r.tcpPair(0)
	r.live.Add(1)
	s := r.newSocket(near, r.limits.Load())
	s.readDone = true // there is no reader
	r.attach(s)
	closing := func() bool { return s.look(func() bool { return s.closing }) }
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	eventually(t, "the byte has come", func() bool { return unread(near) })
	r.tick(now.Add(20 * time.Second))
	if closing() {
		t.Fatal("closed, though something waits to be read")
	}
	if _, err := near.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	r.tick(now.Add(40 * time.Second))
	if !closing() {
		t.Error("not closed, though nothing comes")
	}
}

// TestPingsEnd: a service that has sent pings is dead when it no longer does, and not before it has left
// out as many as it may.
func TestPingsEnd(t *testing.T) {
	lines := new(journal)
	s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), nil, func(l *Limits) { l.PingerTimeout, l.IdleTimeout = 20*time.Second, 0 })
	s.begin()
	now := s.ahead()
	often, seldom, once, never := s.login("service:a"), s.login("service:b"), s.login("service:c"), s.login("service:d")
	client := s.login("client")
	at := func(seconds int) { s.tick(now.Add(time.Duration(seconds) * time.Second)) }
	for i := range 2 {
		at(10 * i)
		often.ping("often")
		client.ping("client")
	}
	once.ping("once")
	seldom.ping("seldom")
	at(25)
	often.ping("often")
	client.ping("client")
	at(50)
	seldom.ping("seldom")
	at(70)
	if n := s.Live(); n != 5 {
		t.Fatalf("%d connections, want all: none has been silent for three times its pause", n)
	}
	at(72)
	often.closed(frame.CloseIdle)
	client.closed(frame.CloseIdle)
	at(50 + 121)
	seldom.closed(frame.CloseIdle)
	once.ping("one ping is no habit")
	never.ping("alive")
	if n := s.deps.Refusals().Count(refusals.PingsEnded); n != 3 {
		t.Errorf("%d counted, want 3", n)
	}
	for _, role := range []string{"service", "client"} {
		// Often and client are cut off after three times their longest pause. The line of seldom is left out.
		lines.want(t, `level=WARN msg="connection closed because it used to send pings and is silent" cause=pings_ended remote=127\.0\.0\.1:\d+ role=`+
			role+` setting=keepalive\.pinger_timeout subscriber=\w+(?: service=a)? limit=45s\n`)
	}
}
