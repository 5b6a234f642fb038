package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
)

// keepsRequests authenticates with a token and asks for tickets and for its requests to be kept. It returns the ticket, and
// which requests go on.
func (p *peer) keepsRequests(name, hash string) (ticket, open string) {
	p.t.Helper()
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"resume":true,"requests":true}}`, name, hash)
	e := p.next()
	var said struct {
		Resume struct {
			Ticket   string
			Requests json.RawMessage
		}
	}
	if err := json.Unmarshal(e.Payload, &said); err != nil || said.Resume.Ticket == "" {
		p.t.Fatalf("got %s", e)
	}
	return said.Resume.Ticket, string(said.Resume.Requests)
}

// keeping connects a client that keeps its requests.
func keeping(t *testing.T, s *System, services ...string) (p *peer, ticket string) {
	t.Helper()
	p = connectAt(t, s.Addr().String())
	made := mint(t, s.running.Load().Tokens.Directory, user("one.example", nil, services...))
	ticket, open := p.keepsRequests(made.Name, made.Hash)
	if open != "[]" {
		t.Fatalf("to a new client the router says %s of requests", open)
	}
	return p, ticket
}

// dropsWaiting ends a connection as a lost network does, and waits until the router waits for its client.
func (p *peer) dropsWaiting(s *System) {
	p.t.Helper()
	p.drop()
	eventually(p.t, "the router waits for the client", func() bool { return s.deps.Counters.Waiting.Load() == 1 })
}

// A client that is cut off two hundred times with requests under way gets one outcome of each, and the service sees each
// once. What is answered while the client is away or when it is back is never lost. What is answered when the connection is
// cut may be, and then the client is told.
func TestRequestsOverCuts(t *testing.T) {
	const cuts = 200
	s := start(t, ticketed(t, ""))
	texts := join(t, s, remote("texts", "texts_service"))
	proxy := startCutter(t, s.Addr().String())
	made := mint(t, s.cfg.Tokens.Directory, user("one.example", nil))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, "ws://"+proxy.addr+"/", func(context.Context) (client.Token, error) { return made, nil },
		client.Options{Resume: true, ConnectTimeout: patience, RequestTimeout: -1, Reconnect: client.Reconnect{Max: 10 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()

	var lost int
	var asking sync.WaitGroup
	var mu sync.Mutex
	outcomes := make(map[string]int)
	ask := func(when string, n int) {
		name := fmt.Sprintf("%s %d", when, n)
		asking.Go(func() {
			reply, err := c.Request(ctx, "texts", "get", name)
			mu.Lock()
			defer mu.Unlock()
			outcomes[name]++
			switch {
			case err == nil && string(reply.Payload) != `"`+name+`"`:
				t.Errorf("%s is answered %s", name, reply.Payload)
			case err == nil:
			case when == "cut" && errors.Is(err, client.ErrDisconnected):
				lost++
			default:
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	seen := make(map[string]int)
	answer := func(e reading) {
		texts.sendf(`{"service_name":"texts","topic":"got","status_code":200,"request_id":%s,"resource_id":%q,"payload":%s}`, e.RequestID, e.ResourceID, e.Payload)
	}
	for n := range cuts {
		for _, when := range []string{"cut", "away", "back"} {
			ask(when, n)
		}
		asked := make(map[string]reading)
		for range 3 {
			e := texts.next()
			name := strings.Trim(string(e.Payload), `"`)
			seen[name]++
			when, _, _ := strings.Cut(name, " ")
			asked[when] = e
		}
		answer(asked["cut"])
		proxy.cut()
		eventually(t, "the router has noticed", func() bool {
			return s.deps.Counters.Waiting.Load() == 1 || s.deps.Counters.Returned.Load() > int64(n)
		})
		answer(asked["away"])
		eventually(t, "the client is back", func() bool { return s.deps.Counters.Returned.Load() > int64(n) })
		answer(asked["back"])
		asking.Wait()
	}
	for name, times := range outcomes {
		if times != 1 || seen[name] != 1 {
			t.Errorf("%s has %d outcomes, and the service has seen it %d times", name, times, seen[name])
		}
	}
	if len(outcomes) != 3*cuts || len(seen) != 3*cuts {
		t.Errorf("%d outcomes, %d seen, want %d", len(outcomes), len(seen), 3*cuts)
	}
	t.Logf("%d of %d that were answered at the cut are lost", lost, cuts)
}

// A service on another node answers while its client is away, and when it is back.
func TestServiceElsewhereAnswersAfterAResume(t *testing.T) {
	key := keyFile(t)
	all := nodes(t, 2, func(cfg *config.Config) {
		cfg.Tokens.Tickets, cfg.Tokens.TicketKeyFile, cfg.Tokens.ResumeWait = 5*time.Minute, key, time.Minute
	})
	texts := join(t, all[0], remote("texts", "texts_service"))
	offered(t, all[1], "texts", 1)
	p, ticket := keeping(t, all[1])
	p.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	p.sendf(`{"service":"texts","topic":"get","request_id":"2"}`)
	id := texts.asked(`"" texts/get #"1" null`)
	texts.next()
	p.dropsWaiting(all[1])
	texts.sendf(`{"service_name":"texts","topic":"got","request_id":"1","resource_id":%q,"payload":1}`, id)
	p = connectAt(t, all[1].Addr().String())
	_, open := p.keepsRequests("resume", ticket)
	if open != `["1","2"]` && open != `["2","1"]` {
		t.Errorf("of requests the router says %s", open)
	}
	texts.sendf(`{"service_name":"texts","topic":"got","request_id":"2","resource_id":%q,"payload":2}`, id)
	p.gets(`"" texts/got #"1" 1`, `"" texts/got #"2" 2`)
}

// On another node no request goes on, the client is told at once, and the node that it has left waits no longer.
func TestRequestsAreLostOnAnotherNode(t *testing.T) {
	key := keyFile(t)
	all := nodes(t, 2, func(cfg *config.Config) {
		cfg.Tokens.Tickets, cfg.Tokens.TicketKeyFile, cfg.Tokens.ResumeWait = 5*time.Minute, key, 5*time.Minute
	})
	texts := join(t, all[0], remote("texts", "texts_service"))
	p, ticket := keeping(t, all[0])
	p.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	texts.next()
	p.dropsWaiting(all[0])
	p = connectAt(t, all[1].Addr().String())
	if _, open := p.keepsRequests("resume", ticket); open != "[]" {
		t.Errorf("of requests the router says %s", open)
	}
	eventually(t, "the other node waits no longer", func() bool {
		c := all[0].deps.Counters
		return c.Waiting.Load() == 0 && c.Unreturned.Load() == 1
	})
}

// A reload that switches the wait off holds for those that are lost afterwards. What is kept counts in the metrics.
func TestWaitIsReloaded(t *testing.T) {
	cfg := ticketed(t, "")
	cfg.Tokens.ResumeWait = 5 * time.Minute
	s := start(t, cfg)
	texts := join(t, s, remote("texts", "texts_service"))
	p, ticket := keeping(t, s)
	p.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	id := texts.asked(`"" texts/get #"1" null`)
	p.dropsWaiting(s)
	if m := s.source().Metrics(); m.Tickets.Waiting != 1 || m.Kept == 0 {
		t.Errorf("%d clients are waited for, and %d bytes are kept", m.Tickets.Waiting, m.Kept)
	}
	off := *cfg
	off.Tokens.ResumeWait = 0
	if _, err := s.Reload(&off); err != nil {
		t.Fatal(err)
	}
	texts.sendf(`{"service_name":"texts","topic":"got","request_id":"1","resource_id":%q,"payload":1}`, id)
	p = connectAt(t, s.Addr().String())
	ticket, _ = p.keepsRequests("resume", ticket)
	p.gets(`"" texts/got #"1" 1`)
	p.drop()
	eventually(t, "the session ends", func() bool { return s.deps.Counters.Sessions.Load() == 0 })
	if n := s.source().Metrics().Tickets; n.Waiting != 0 || n.Returned != 1 {
		t.Errorf("got %+v", n)
	}
	p = connectAt(t, s.Addr().String())
	if _, open := p.keepsRequests("resume", ticket); open != "" {
		t.Errorf("of requests the router says %s", open)
	}
}

// A stop does not wait for clients that are away, and the log tells of them.
func TestStopDoesNotWaitForClients(t *testing.T) {
	var log syncBuffer
	cfg := ticketed(t, "")
	cfg.Tokens.ResumeWait = 5 * time.Minute
	s, stop := startLogged(t, cfg, slog.New(slog.NewTextHandler(&log, nil)))
	texts := join(t, s, remote("texts", "texts_service"))
	p, _ := keeping(t, s)
	p.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	texts.next()
	p.dropsWaiting(s)
	stop()
	if n := s.deps.Counters.Unreturned.Load(); n < 1 {
		t.Error("nobody was given up")
	}
	if text := log.String(); !strings.Contains(text, `clients not waited for any longer`) || !strings.Contains(text, "the daemon stops") {
		t.Errorf("the log says\n%s", text)
	}
}
