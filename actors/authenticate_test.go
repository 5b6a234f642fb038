package actors

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// protocol 5.1
func TestBeforeAuthentication(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"request", `{"service":"s","topic":"x","request_id":"7"}`, `407 authentication/authenticate #"7" null`},
		{"numeric request id", `{"service":"s","request_id":7}`, `407 authentication/authenticate #7 null`},
		{"alias does not count", `{"service_name":"authentication","request_id":"7","token":{"name":"good","hash":"hash"}}`, `407 authentication/authenticate #"7" null`},
		{"no token", `{"service":"authentication","request_id":"7"}`, `401 authentication/unauthorized #"7" null`},
		{"token of wrong type", `{"service":"authentication","token":{"name":1,"hash":"hash"}}`, `401 authentication/unauthorized #"" null`},
		{"unknown token", `{"service":"authentication","token":{"name":"bad","hash":"hash"}}`, `401 authentication/unauthorized #"" null`},
		{"wrong hash", `{"service":"authentication","token":{"name":"good","hash":"h"}}`, `401 authentication/unauthorized #"" null`},
		{"good token", `{"service":"authentication","request_id":true,"token":{"name":"good","hash":"hash"}}`, `200 authentication/authenticated #true null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.tokens.put("good", &Credentials{Role: Client})
			p := w.connect()
			p.gets(hello)
			p.writef("%s", c.message)
			p.gets(c.want)
			p.open()
		})
	}
}

func TestNotEnvelopeIsIgnored(t *testing.T) {
	for _, message := range []string{"", "x", "{}", "[]", `"s"`, "{\"service\":\"\xff\"}"} {
		t.Run(message, func(t *testing.T) {
			w := newWorld(t)
			p := w.connect()
			p.gets(hello)
			p.writef("%s", message)
			w.settle(p.pid)
			p.silent()
			w.wantDead(NotEnvelope, 1)
		})
	}
}

// A message may be nested so deeply, and its envelope may have so many keys, and no more. What is over is ignored, counted and
// named, also of those who have authenticated.
func TestDepthAndKeysOfAMessage(t *testing.T) {
	const depth, most = 8, 32
	nested := func(levels int) string {
		return `{"service":"","request_id":1,"payload":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	wide := func(keys int) string {
		return `{"service":"","request_id":1` + strings.Repeat(`,"x":1`, keys-2) + `}`
	}
	payload := `{"service":"","request_id":1,"payload":{"x":1` + strings.Repeat(`,"x":1`, 1000) + `}}`
	for _, c := range []struct {
		name, fits, over string
		cause            refusals.Cause
	}{{"depth", nested(depth), nested(depth + 1), refusals.Depth}, {"keys", wide(most), wide(most + 1), refusals.Keys}, {"keys of the payload", payload, wide(2 * most), refusals.Keys}} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/authenticated=%t", c.name, known), func(t *testing.T) {
				w := newWorld(t)
				w.change(func(s *Settings) { s.Depth, s.Keys = depth, most })
				p, want := w.connect(), `407 authentication/authenticate #1 null`
				p.gets(hello)
				if known {
					p.present(w.token(&Credentials{Role: Client}))
					p.gets(admitted200)
					want = `400 INVALID/ #1 null`
				}
				p.writef("%s", c.over)
				p.writef("%s", c.fits)
				p.gets(want)
				p.open()
				w.wantDead(NotEnvelope, 1)
				if n := w.deps.Refusals().Count(c.cause); n != 1 {
					t.Errorf("%s: counted %d times, want once", c.cause, n)
				}
			})
		}
	}
}

// protocol 9.3, 11.13
func TestAttemptsAreCounted(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.gets(hello)
	for range 2 {
		p.present("bad")
		p.gets(`401 authentication/unauthorized #"a" null`)
		p.open()
	}
	p.present("bad")
	p.gets(`401 authentication/unauthorized #"a" null`)
	p.closedWith(TooManyAttempts)
	good := w.token(&Credentials{Role: Client})
	p.present(good)
	w.settle(p.pid)
	if _, err := w.tokens.Claim(good, "hash", anyRole); err != nil {
		t.Errorf("a closing connection used up a token: %v", err)
	}
}

func TestSecondAttemptSucceeds(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.gets(hello)
	p.present("bad")
	p.gets(`401 authentication/unauthorized #"a" null`)
	p.present(w.token(&Credentials{Role: Client}))
	p.gets(admitted200)
}

func TestAuthenticationTimeout(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.gets(hello)
	w.settle(p.pid) // it has set its timer
	w.clock.Advance(30*time.Second - 1)
	w.settle(p.pid)
	p.open()
	w.clock.Advance(1)
	p.closedWith(AuthTimeout)
}

func TestNoTimeoutAfterAuthentication(t *testing.T) {
	w := newWorld(t)
	p := w.client()
	if n := w.clock.Timers(); n != 0 {
		t.Fatalf("%d timers wait, want none", n)
	}
	w.clock.Advance(time.Hour)
	w.settle(p.pid)
	p.open()
}

// The timer may have posted its message just before the verdict stopped it.
func TestTimeoutBehindAcceptedToken(t *testing.T) {
	w := newWorld(t)
	p := w.client()
	w.deps.send(p.pid, &authenticationTimedOut{})
	w.settle(p.pid)
	p.open()
	p.writef(`{"service":"","request_id":"1"}`)
	p.gets(`400 INVALID/ #"1" null`)
}

// A join that is lost, because the topic panicked at it, must not leave the peer waiting for ever.
func TestTimeoutWhileJoining(t *testing.T) {
	w := newWorld(t)
	w.service("s")
	w.client("s")
	group := w.egress.all()[0]
	group.mu.Lock()
	group.onAdd = func() { panic("group") }
	group.mu.Unlock()
	p := w.connect()
	p.gets(hello)
	p.present(w.token(&Credentials{Role: Client, Services: []string{"s"}}))
	w.settleName(p, "s")
	p.silent()
	p.open()
	w.clock.Advance(30 * time.Second)
	p.closedWith(AuthTimeout)
}

func TestTimeoutDuringClaimWins(t *testing.T) {
	work := make(chan func(), 1)
	w := newWorld(t, func(d *Deps) { d.Pool = parkedPool{work} })
	p := w.connect()
	p.gets(hello)
	p.present(w.token(&Credentials{Role: Client, Services: []string{"s"}}))
	claim := <-work
	w.clock.Advance(30 * time.Second)
	p.closedWith(AuthTimeout)
	claim()
	w.settle(p.pid, w.router.PID())
	p.silent()
	if w.deps.Registry.Lookup("s") != nil {
		t.Error("a closed connection subscribed")
	}
}

// Where too many tokens wait, the connection ends and the token stays good.
func TestTooManyTokensWait(t *testing.T) {
	w := newWorld(t)
	pool := w.deps.Pool
	w.deps.Pool = fullPool{}
	p := w.connect()
	p.gets(hello)
	token := w.token(&Credentials{Role: Client})
	p.present(token)
	p.closedWith(NoPlace)
	if n := w.deps.Refusals().Count(refusals.Unchecked); n != 1 {
		t.Errorf("counted %d times, want once", n)
	}
	w.deps.Pool = pool
	again := w.connect()
	again.gets(hello)
	again.present(token)
	again.gets(admitted200)
}

// What was sent behind a token waits for the verdict and keeps its order.
func TestHeldWhileClaimed(t *testing.T) {
	work := make(chan func(), 4)
	w := newWorld(t, func(d *Deps) { d.Pool = parkedPool{work} })
	p := w.connect()
	p.gets(hello)
	p.present("bad")
	for i := range 2 {
		p.writef(`{"service":"s","request_id":%d}`, i)
	}
	p.present(w.token(&Credentials{Role: Client}))
	for i := range 3 {
		p.writef(`{"service":"","request_id":%d}`, 10+i)
	}
	refuse := <-work
	w.settle(p.pid)
	p.silent()
	refuse()
	p.gets(`401 authentication/unauthorized #"a" null`,
		`407 authentication/authenticate #0 null`, `407 authentication/authenticate #1 null`)
	accept := <-work
	p.writef(`{"service":"","request_id":13}`)
	w.settle(p.pid)
	p.silent()
	accept()
	p.gets(admitted200)
	for i := range 4 {
		p.gets(fmt.Sprintf(`400 INVALID/ #%d null`, 10+i))
	}
}

func TestHeldWhenAttemptsRunOut(t *testing.T) {
	work := make(chan func(), 1)
	w := newWorld(t, func(d *Deps) { d.Pool = parkedPool{work} })
	w.change(func(s *Settings) { s.AuthenticationAttempts = 1 })
	p := w.connect()
	p.gets(hello)
	p.present("bad")
	p.writef(`{"service":"s"}`)
	(<-work)()
	p.gets(`401 authentication/unauthorized #"a" null`)
	p.closedWith(TooManyAttempts)
	w.settle(p.pid)
	p.silent()
	p.leasesReturned(0)
}

func TestGoneWhileClaimed(t *testing.T) {
	work := make(chan func(), 1)
	w := newWorld(t, func(d *Deps) { d.Pool = parkedPool{work} })
	p := w.connect()
	p.gets(hello)
	p.present(w.token(&Credentials{Role: Service, Service: "s"}))
	p.writef(`{"service":"s"}`)
	claim := <-work
	p.leave()
	w.ended(p.pid)
	claim()
	w.settle(w.router.PID())
	p.leasesReturned(0)
	if w.deps.Registry.Lookup("s") != nil {
		t.Error("somebody who has gone offers a service")
	}
}

// Who has read the 200 misses nothing that is broadcast afterwards.
func TestAdmittedBehindAllJoins(t *testing.T) {
	w := newWorld(t)
	names := []string{"s1", "s2", "s3"}
	p := w.client(names...)
	for i, g := range w.egress.all() {
		if g.members[p.socket] != 1 {
			t.Errorf("not a member of group %d when the 200 came", i)
		}
	}
	for _, name := range names {
		if w.deps.Registry.Lookup(name) == nil {
			t.Errorf("%s has no route when the 200 came", name)
		}
	}
	s := w.service("s4")
	p.writef(`{"service":"s4","topic":"x","request_id":"1"}`)
	s.asked(` s4/x #"1" null`)
}

// A broadcast between a join and the 200 comes behind the 200.
func TestBroadcastBeforeAdmission(t *testing.T) {
	w := newWorld(t)
	s := w.service("s")
	n := w.deps.Registry.Lookup("s")
	peer := w.deps.newPeer(&Credentials{Role: Client, Services: []string{"s"}}, newFakeSocket())
	p := &listener{t, peer.Outlet.(*fakeSocket)}
	w.deps.send(n.Topic.PID(), &join{peer: peer})
	s.writef(`{"service":"s","topic":"early"}`)
	w.settleName(s, "s")
	p.nothing()
	peer.Outlet.Admit(Client, w.egress.Encode(envelope.Authenticated.Answer(nil), nil))
	p.topics("authenticated", "early")
	w.deps.send(n.Topic.PID(), &leave{peer: peer})
	w.settle(n.Topic.PID())
}

// listener reads a socket that has no connection.
type listener struct {
	t      *testing.T
	socket *fakeSocket
}

func (p *listener) nothing() {
	p.t.Helper()
	if n := len(p.socket.written); n != 0 {
		p.t.Fatalf("%d frames written, want none", n)
	}
}

func (p *listener) topics(want ...string) {
	p.t.Helper()
	for _, want := range want {
		m, err := envelope.Decode((<-p.socket.written).Text(), envelope.MaxDepth)
		if err != nil {
			p.t.Fatal(err)
		}
		if got, _ := envelope.Text(m.Topic); got != want {
			p.t.Fatalf("got topic %q, want %q", got, want)
		}
	}
}

// protocol 4.11: a second token changes nothing and is not used up.
func TestAuthenticatedPeerAuthenticatesAgain(t *testing.T) {
	for _, role := range []Role{Client, Service} {
		t.Run(role.String(), func(t *testing.T) {
			w := newWorld(t)
			p := w.bearer(&Credentials{Role: role, Service: "s"})
			second := w.token(&Credentials{Role: Client, Services: []string{"other"}})
			p.present(second)
			p.gets(admitted200)
			w.settle(p.pid, w.router.PID())
			if w.deps.Registry.Lookup("other") != nil {
				t.Error("the second token granted something")
			}
			if _, err := w.tokens.Claim(second, "hash", anyRole); err != nil {
				t.Errorf("the second token was used up: %v", err)
			}
			if n := w.deps.Counters.TokensIgnored.Load(); n != 1 {
				t.Errorf("%d tokens counted as ignored, want 1", n)
			}
		})
	}
}

// One token, presented by hundreds of connections at the same instant, admits exactly one.
func TestOneTokenAdmitsOne(t *testing.T) {
	const crowd = 400
	workers := new(goPool)
	w := newWorld(t, func(d *Deps) { d.Pool = workers })
	token := w.token(&Credentials{Role: Service, Service: "s"})
	peers := make([]*peer, crowd)
	for i := range peers {
		peers[i] = w.connect()
		peers[i].gets(hello)
	}
	start := make(chan struct{})
	var posting sync.WaitGroup
	for _, p := range peers {
		posting.Go(func() {
			<-start
			p.present(token)
		})
	}
	close(start)
	posting.Wait()
	admitted := 0
	for _, p := range peers {
		switch got := line(p.next()); got {
		case admitted200:
			admitted++
		case `401 authentication/unauthorized #"a" null`:
		default:
			t.Fatalf("got %s", got)
		}
	}
	workers.Wait()
	if admitted != 1 {
		t.Errorf("%d admitted, want exactly one", admitted)
	}
	if a, r := w.deps.Counters.Authentic.Load(), w.deps.Counters.Refused.Load(); a != 1 || r != crowd-1 {
		t.Errorf("counted %d authentic and %d refused, want 1 and %d", a, r, crowd-1)
	}
	if _, err := w.tokens.Claim(token, "hash", anyRole); !errors.Is(err, errNoToken) {
		t.Errorf("token is still good: %v", err)
	}
}

// unavailable is a token store that has no file descriptor at first.
type unavailable struct {
	Tokens
	left int // claims that fail
}

func (u *unavailable) Claim(name, hash string, admit func(Role) error) (*Credentials, error) {
	if u.left > 0 {
		u.left--
		return nil, fmt.Errorf("open token file: %w", syscall.EMFILE)
	}
	return u.Tokens.Claim(name, hash, admit)
}

// A good token is not refused when there is no descriptor to read its file with. The peer may come back with it.
func TestWantOfDescriptorsRefusesNoToken(t *testing.T) {
	w := newWorld(t, func(d *Deps) { d.Tokens = &unavailable{Tokens: d.Tokens, left: 10} })
	good := w.token(&Credentials{Role: Client})
	for range 10 {
		p := w.connect()
		p.gets(hello)
		p.present(good)
		p.closedWith(NoPlace)
	}
	p := w.connect()
	p.gets(hello)
	p.present(good)
	p.gets(admitted200)
	if n := w.deps.Counters.Refused.Load(); n != 0 {
		t.Errorf("%d tokens were refused", n)
	}
}

// anyRole lets everybody in.
func anyRole(Role) error { return nil }
