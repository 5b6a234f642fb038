package actors

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// renewable are tokens that may be presented again: those that a test has put, under their hash.
type renewable struct {
	*fakeTokens
	mu  sync.Mutex // Protects following.
	put map[string]any
}

func (r *renewable) set(hash string, what any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put[hash] = what
}

func (r *renewable) Renew(_, hash string) (*Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch what := r.put[hash].(type) {
	case *Credentials:
		return what, nil
	case error:
		return nil, what
	case func():
		what()
	}
	return nil, errors.New("not good")
}

// newRenewable returns a world, its tokens, and a peer whose token may be renewed and is good for a minute.
func newRenewable(t *testing.T, change ...func(*Deps)) (*world, *renewable, *peer) {
	t.Helper()
	var r *renewable
	w := newWorld(t, append(change, func(d *Deps) {
		r = &renewable{fakeTokens: d.Tokens.(*fakeTokens), put: map[string]any{}}
		d.Tokens = r
	})...)
	return w, r, w.bearer(w.renewed(time.Minute))
}

// renewed are the credentials of a token that is good for some time from now.
func (w *world) renewed(limit time.Duration) *Credentials {
	return &Credentials{Role: Client, Services: []string{"s"}, Permissions: []string{"a", "b"}, DomainName: "a.example", UserUUID: "u",
		Extensions: []string{"1@a", "2@a"}, Bearer: "jwt u", RenewBy: "jwt", ExpiresAt: w.clock.Now().Add(limit)}
}

func (p *peer) renew(hash string) {
	p.writef(`{"service":"authentication","request_id":"r","token":{"name":"jwt","hash":%q}}`, hash)
}

const renewed200 = `200 authentication/authenticated #"r" null`

func TestRenewal(t *testing.T) {
	w, tokens, p := newRenewable(t)
	s := w.service("s")
	tokens.set("later", w.renewed(time.Hour))
	p.renew("later")
	p.gets(renewed200)
	w.settle(w.subscriber(p))
	w.clock.Advance(time.Minute)
	w.settle(w.subscriber(p))
	w.settle(p.pid)
	p.open()
	s.writef(`{"service":"s","topic":"t","payload":1}`)
	p.gets(` s/t #"" 1`)
	w.clock.Advance(time.Hour - time.Minute - 1)
	w.settle(w.subscriber(p))
	p.open()
	w.clock.Advance(1)
	p.closedWith(TokenExpired)
	if n := w.deps.Counters.Renewed.Load(); n != 1 {
		t.Errorf("%d renewals counted", n)
	}
}

// An older token is good and moves nothing: whoever sends it twice, or late, loses no time.
func TestRenewalWithAnOlderToken(t *testing.T) {
	w, tokens, p := newRenewable(t)
	tokens.set("earlier", w.renewed(time.Second))
	p.renew("earlier")
	p.gets(renewed200)
	w.clock.Advance(time.Minute - 1)
	w.settle(w.subscriber(p))
	p.open()
	w.clock.Advance(1)
	p.closedWith(TokenExpired)
}

// What the peer may stays what it is, so a token that says anything else does not count, and the peer is told.
func TestRenewalIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *Credentials)
		reason string
	}{
		"another subject":            {func(c *Credentials) { c.Bearer = "jwt v" }, "subject"},
		"another subject and grants": {func(c *Credentials) { c.Bearer, c.Permissions = "jwt v", nil }, "subject"},
		"a role":                     {func(c *Credentials) { c.Role, c.Service = Service, "s" }, "grants"},
		"more permissions":           {func(c *Credentials) { c.Permissions = []string{"a", "b", "c"} }, "grants"},
		"fewer permissions":          {func(c *Credentials) { c.Permissions = []string{"a"} }, "grants"},
		"other subscriptions":        {func(c *Credentials) { c.Services = []string{"t"} }, "grants"},
		"other extensions":           {func(c *Credentials) { c.Extensions = nil }, "grants"},
		"another domain":             {func(c *Credentials) { c.DomainName = "b.example" }, "grants"},
		"another domain's UUID":      {func(c *Credentials) { c.DomainUUID = "x" }, "grants"},
		"another user":               {func(c *Credentials) { c.UserUUID = "x" }, "grants"},
		"another name":               {func(c *Credentials) { c.UserName = "x" }, "grants"},
	} {
		t.Run(name, func(t *testing.T) {
			w, tokens, p := newRenewable(t)
			c := w.renewed(time.Hour)
			test.change(c)
			tokens.set("other", c)
			p.renew("other")
			p.gets(fmt.Sprintf(`401 authentication/unauthorized #"r" {"reason":%q}`, test.reason))
			p.open()
			w.clock.Advance(time.Minute)
			p.closedWith(TokenExpired)
			if w.deps.Counters.NotRenewed.Load() != 1 || w.deps.Refusals().Counts()["renewal"] != 1 {
				t.Error("not counted")
			}
		})
	}
}

// The order of a list is nothing that a token says.
func TestRenewalInAnotherOrder(t *testing.T) {
	w, tokens, p := newRenewable(t)
	c := w.renewed(time.Hour)
	c.Permissions, c.Extensions = []string{"b", "a"}, []string{"2@a", "1@a"}
	tokens.set("other", c)
	p.renew("other")
	p.gets(renewed200)
}

func TestTooManyBadRenewals(t *testing.T) {
	w, tokens, p := newRenewable(t)
	tokens.set("later", w.renewed(time.Hour))
	const bad = `401 authentication/unauthorized #"r" {"reason":"token"}`
	for range 2 {
		p.renew("bad")
		p.gets(bad)
	}
	p.renew("later") // which forgives those before
	p.gets(renewed200)
	for range 3 {
		p.renew("bad")
		p.gets(bad)
	}
	p.closedWith(TooManyAttempts)
}

// One is looked at at a time, and what else the peer sends does not wait for it.
func TestOneRenewalAtATime(t *testing.T) {
	pool := parkedPool{make(chan func(), 4)}
	w, tokens, p := newRenewable(t)
	s := w.service("s")
	w.deps.Pool = pool
	tokens.set("later", w.renewed(time.Hour))
	p.renew("later")
	p.renew("later")
	p.gets(`503 authentication/ #"r" null`)
	if state := p.state(); !state.Busy {
		t.Error("another process could take the connection, and the answer would be lost")
	}
	p.writef(`{"service":"s","request_id":"1"}`)
	s.asked(` s/ #"1" null`)
	(<-pool.work)()
	p.gets(renewed200)
	state := p.state()
	if want := w.clock.Now().Add(time.Hour); state.Busy || !state.Credentials.ExpiresAt.Equal(want) || state.Credentials.Bearer == "" || state.Credentials.RenewBy != "jwt" {
		t.Errorf("%+v: another process must know the new end %v", state, want)
	}
	if len(pool.work) != 0 {
		t.Error("the second one was looked at")
	}
}

// awayTokens are those of whose keys it is not known whether they are there.
type awayTokens struct{}

func (awayTokens) Error() string   { return "keys are away" }
func (awayTokens) Temporary() bool { return true }
func (awayTokens) Setting() string { return "jwt.jwks" }

// A token that cannot be looked at now is no bad one.
func TestRenewalThatCannotBeLookedAt(t *testing.T) {
	w, tokens, p := newRenewable(t)
	tokens.set("away", awayTokens{})
	for range 5 {
		p.renew("away")
		p.gets(`503 authentication/ #"r" null`)
	}
	p.open()
	if n := w.deps.Refusals().Counts()["unchecked"]; n != 5 {
		t.Errorf("counted %d", n)
	}
}

// The same if too many tokens wait. The next one is looked at.
func TestRenewalWhileTooManyWait(t *testing.T) {
	w, tokens, p := newRenewable(t)
	tokens.set("later", w.renewed(time.Hour))
	pool := w.deps.Pool
	w.deps.Pool = fullPool{}
	for range 5 {
		p.renew("later")
		p.gets(`503 authentication/ #"r" null`)
	}
	p.open()
	w.deps.Pool = pool
	p.renew("later")
	p.gets(renewed200)
	p.leasesReturned(0)
}

// A panic while a token is looked at is a refusal, and the next one is looked at.
func TestRenewalThatPanics(t *testing.T) {
	w, tokens, p := newRenewable(t)
	w.deps.Pool = recovering{}
	tokens.set("panic", func() { panic("a bug") })
	tokens.set("later", w.renewed(time.Hour))
	p.renew("panic")
	p.gets(`401 authentication/unauthorized #"r" {"reason":"token"}`)
	p.renew("later")
	p.gets(renewed200)
}

type recovering struct{}

func (recovering) Go(_ string, f func()) (ok bool) {
	defer func() { ok = recover() != nil || ok }()
	f()
	return true
}

// The verdict comes after the end.
func TestRenewalThatComesTooLate(t *testing.T) {
	for _, timer := range []bool{false, true} {
		pool := parkedPool{make(chan func(), 1)}
		w, tokens, p := newRenewable(t)
		w.deps.Pool = pool
		tokens.set("later", w.renewed(time.Hour))
		p.renew("later")
		work := <-pool.work
		if timer {
			w.clock.Advance(time.Minute)
			p.closedWith(TokenExpired)
		} else {
			w.clock.Set(w.clock.Now().Add(time.Minute))
		}
		work()
		w.settle(p.pid)
		p.silent()
		if w.deps.Counters.Renewed.Load() != 0 {
			t.Error("renewed after its end")
		}
	}
}

// Other connections, and messages with other tokens, are as they were: a second authentication changes nothing.
func TestWhoCannotRenew(t *testing.T) {
	w, tokens, p := newRenewable(t)
	tokens.set("later", w.renewed(time.Hour))
	ordinary := w.client("s")
	ordinary.renew("later")
	ordinary.gets(renewed200)
	p.writef(`{"service":"authentication","request_id":"r","token":{"name":"token-9","hash":"later"}}`)
	p.gets(renewed200)
	p.writef(`{"service":"authentication","request_id":"r"}`)
	p.gets(renewed200)
	if w.deps.Counters.Renewed.Load() != 0 || w.deps.Counters.TokensIgnored.Load() != 3 {
		t.Error("something was renewed")
	}
	p.writef(`{"service":"authentication","request_id":"r","token":{"name":"jwt","hash":5}}`)
	p.gets(`401 authentication/unauthorized #"r" {"reason":"token"}`)
}

// A token that is not used up is not kept for who comes back, however many connections have it.
func TestBearerIsNotHeld(t *testing.T) {
	w := newWorld(t, func(d *Deps) {
		d.Hold(nil)
		s := *d.settings()
		s.Reclaim, s.ReclaimCount = time.Minute, 10
		d.Settings.Store(&s)
	})
	p := w.bearer(w.renewed(time.Hour))
	p.leave()
	w.ended(p.pid)
	if list := w.deps.Holdings(patience); len(list) != 0 {
		t.Errorf("%d are kept", len(list))
	}
}

// A token whose keys are away is turned away without an attempt, and its cause says which setting decides.
func TestAuthenticationThatCannotBeLookedAt(t *testing.T) {
	w := newWorld(t, func(d *Deps) { d.Tokens = alwaysAway{} })
	p := w.connect()
	p.gets(hello)
	p.present("any")
	p.closedWith(NoPlace)
	if w.deps.Refusals().Counts()["unchecked"] != 1 || w.deps.Counters.Refused.Load() != 0 {
		t.Error("counted as something else")
	}
}

type alwaysAway struct{}

func (alwaysAway) Claim(string, string, func(Role) error) (*Credentials, error) {
	return nil, awayTokens{}
}
