package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
)

// jwts makes a JWT for each call, each good for some time from then. They are told apart by their number.
func jwts(limit time.Duration) TokenSource {
	n := 0
	return func(context.Context) (Token, error) {
		n++
		return unsigned(n, limit), nil
	}
}

func unsigned(n int, limit time.Duration) Token {
	claims := fmt.Sprintf(`{"n":%d,"exp":%d}`, n, time.Now().Add(limit).Unix())
	return JWT("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x")
}

// renewing runs a client whose JWTs are good for a while against a router that the test plays, in a bubble.
func renewing(t *testing.T, token TokenSource, opts Options, play func(r *fakeRouter, c *Client, p *clienttest.Peer)) {
	synctest.Test(t, func(t *testing.T) {
		r := newPipedRouter(t)
		opts.PingInterval, opts.Reconnect.spread = -1, func(time.Duration) time.Duration { return 0 }
		done := r.dialing(t.Context(), token, opts)
		p := r.Accept()
		p.Login()
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		play(r, d.client, p)
		r.shut(d.client)
	})
}

// presented reads a JWT that the client presents again.
func presented(t *testing.T, m clienttest.Message) (n int) {
	t.Helper()
	if m.Service != "authentication" || string(m.RequestID) != `"renewal"` || m.Token == nil || m.Token.Name != "jwt" {
		t.Fatalf("presented %+v", m)
	}
	token := m.Token
	var claims struct{ N int }
	text, err := base64.RawURLEncoding.DecodeString(token.Hash[4 : len(token.Hash)-2])
	if err != nil || json.Unmarshal(text, &claims) != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return claims.N
}

// answerRenewal answers as the router does.
func answerRenewal(p *clienttest.Peer, code int, topic string, payload any) {
	p.Send(clienttest.Object{"service_name": "authentication", "topic": topic, "status_code": code, "request_id": renewalID, "payload": payload})
}

func TestJWTIsRenewed(t *testing.T) {
	renewing(t, jwts(10*time.Minute), Options{}, func(_ *fakeRouter, c *Client, p *clienttest.Peer) {
		began := time.Now()
		for round := 1; round <= 3; round++ {
			if n := presented(t, p.Next()); n != round+1 {
				t.Errorf("round %d: token %d", round, n)
			}
			if at := time.Since(began).Round(time.Second); at != time.Duration(round)*9*time.Minute {
				t.Errorf("round %d: after %v, want a minute before the end", round, at)
			}
			answerRenewal(p, 200, "authenticated", nil)
			synctest.Wait()
		}
		if c.State() != StateOnline {
			t.Error(c.State())
		}
	})
}

// A JWT that is short is renewed when half of its time is over.
func TestShortJWT(t *testing.T) {
	renewing(t, jwts(10*time.Second), Options{}, func(_ *fakeRouter, _ *Client, p *clienttest.Peer) {
		began := time.Now()
		presented(t, p.Next())
		if at := time.Since(began); at != 5*time.Second {
			t.Errorf("after %v", at)
		}
	})
}

func TestNoRenewal(t *testing.T) {
	for name, test := range map[string]struct {
		token TokenSource
		opts  Options
	}{
		"of a file":    {tokens(), Options{}},
		"switched off": {jwts(time.Minute), Options{RenewBefore: -1}},
		"no JWT":       {func(context.Context) (Token, error) { return JWT("x"), nil }, Options{}},
		"no exp":       {func(context.Context) (Token, error) { return JWT("e30.e30.x"), nil }, Options{}},
		"far away":     {func(context.Context) (Token, error) { return JWT("e30.eyJleHAiOjFlMzAwfQ.x"), nil }, Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			renewing(t, test.token, test.opts, func(r *fakeRouter, c *Client, p *clienttest.Peer) {
				time.Sleep(time.Hour) // of the bubble
				synctest.Wait()
				if c.State() != StateOnline {
					t.Error(c.State())
				}
				// The next thing that the router hears is this.
				go func() { _, _ = c.Request(r.t.Context(), "s", "t", nil) }()
				if m := p.Next(); m.Service != "s" {
					t.Errorf("got %v", m)
				}
			})
		})
	}
}

// What fails is tried again, ever closer to the end, and the connection stays.
func TestRenewalThatFails(t *testing.T) {
	n := 0
	source := func(context.Context) (Token, error) {
		n++
		if n == 2 {
			return Token{}, errors.New("no network")
		}
		return unsigned(n, 10*time.Minute), nil
	}
	renewing(t, source, Options{}, func(_ *fakeRouter, c *Client, p *clienttest.Peer) {
		if got := presented(t, p.Next()); got != 3 {
			t.Errorf("token %d", got)
		}
		answerRenewal(p, 503, "", nil)
		presented(t, p.Next())
		answerRenewal(p, 401, "unauthorized", map[string]any{"reason": "token"})
		presented(t, p.Next())
		answerRenewal(p, 200, "authenticated", nil)
		synctest.Wait()
		if c.State() != StateOnline {
			t.Error(c.State())
		}
	})
}

// If the fresh JWT grants something else, the client comes back with it.
func TestRenewalWithOtherGrants(t *testing.T) {
	for _, reason := range []string{"grants", "subject"} {
		renewing(t, jwts(10*time.Minute), Options{CloseTimeout: time.Second}, func(r *fakeRouter, c *Client, p *clienttest.Peer) {
			presented(t, p.Next())
			answerRenewal(p, 401, "unauthorized", map[string]any{"reason": reason})
			p.Farewell()
			next := r.Accept()
			next.Login()
			synctest.Wait()
			if c.State() != StateOnline {
				t.Error(c.State())
			}
		})
	}
}

// The ticket of a connection that the client gives up for a fresh JWT is not shown: it stands for what the old one granted.
func TestRenewalWithOtherGrantsShowsNoTicket(t *testing.T) {
	renewing(t, jwts(10*time.Minute), Options{Resume: true, CloseTimeout: time.Second}, func(r *fakeRouter, _ *Client, p *clienttest.Peer) {
		give := func(ticket string) {
			p.Send(clienttest.Object{"service_name": "authentication", "status_code": 200, "request_id": "", "topic": "ticket", "payload": clienttest.Object{"ticket": ticket}})
		}
		give("t1")
		presented(t, p.Next())
		answerRenewal(p, 401, "unauthorized", map[string]any{"reason": "grants"})
		give("t2") // the router has sent it before it read that the client leaves
		p.Farewell()
		if token := r.Accept().Login(); token.Name != jwtName {
			t.Errorf("the client comes back with %q", token.Name)
		}
		synctest.Wait()
	})
}

// Close does not wait for a token source that heeds its context.
func TestCloseWhileRenewing(t *testing.T) {
	asked := make(chan struct{})
	n := 0
	source := func(ctx context.Context) (Token, error) {
		n++
		if n == 1 {
			return unsigned(n, time.Minute), nil
		}
		close(asked)
		<-ctx.Done()
		return Token{}, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		asked = make(chan struct{})
		r := newPipedRouter(t)
		done := r.dialing(t.Context(), source, Options{PingInterval: -1})
		p := r.Accept()
		p.Login()
		d := <-done
		if d.err != nil {
			t.Fatal(d.err)
		}
		<-asked
		go p.Farewell()
		if err := d.client.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestReusableTokens(t *testing.T) {
	for want, token := range map[Token]Token{
		{"jwt", "a.b.c"}: JWT("a.b.c"), {"apikey", "k"}: APIKey("", "k"), {"apikey:weather", "k"}: APIKey("weather", "k"),
	} {
		if token != want {
			t.Errorf("%q %q", token.Name, token.Hash)
		}
	}
}
