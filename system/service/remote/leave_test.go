package remote

import (
	"context"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/client/clienttest"
	"strowger/system/service"
)

// leaver is a service whose requests to topic hold stay open until release is called.
func leaver(stopTimeout time.Duration) (s *service.Service, asked chan struct{}, release func()) {
	asked = make(chan struct{}, 8)
	gate := make(chan struct{})
	s = &service.Service{Name: "servicetest", Supervision: service.Supervision{StopTimeout: stopTimeout}, Setup: func(s service.Setup) error {
		s.Handle("at once", func(r service.Request) error { r.Reply("done"); return nil })
		s.Handle("block", func(r service.Request) error {
			asked <- struct{}{}
			<-gate
			r.Reply("too late")
			return nil
		})
		s.Handle("hold", func(r service.Request) error {
			asked <- struct{}{}
			r.Go(func(ctx context.Context) func() {
				select {
				case <-gate:
				case <-ctx.Done():
				}
				return func() { r.Reply("done") }
			})
			return nil
		})
		return nil
	}}
	return s, asked, func() { close(gate) }
}

// leaving starts a service by hand and returns when it has been told to end and has said so.
func leaving(t *testing.T, s *service.Service, ask func(p *clienttest.Peer), opts Options) (p *clienttest.Peer, done chan error) {
	t.Helper()
	router := clienttest.New(t)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	done = make(chan error, 1)
	go func() { done <- Serve(ctx, router.URL, tokens(), s, opts) }()
	p = router.Accept()
	p.Login()
	ask(p)
	cancel()
	for {
		m := p.Next()
		if m.Service != authentication {
			continue // a change of state
		}
		if m.Topic != "leaving" || string(m.RequestID) != `"leaving"` || m.Token != nil {
			t.Fatalf("got %+v, want that the service leaves", m)
		}
		return p, done
	}
}

func request(p *clienttest.Peer, id, topic string) {
	p.Send(clienttest.Object{"service_name": "servicetest", "topic": topic, "request_id": id, "resource_id": "who"})
}

// left answers that the router has heard of it.
func left(p *clienttest.Peer) {
	p.Send(clienttest.Object{"service_name": authentication, "status_code": 200, "request_id": leavingID, "topic": "authenticated"})
}

// answers reads until the close frame and returns what was answered.
func answers(t *testing.T, p *clienttest.Peer) (all []string) {
	t.Helper()
	for {
		op, data, err := p.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch op {
		case 1:
			if strings.Contains(string(data), `"request_id":"`) && !strings.Contains(string(data), `"request_id":""`) {
				all = append(all, string(data))
			}
		case 8:
			p.Frame(8, data)
			return all
		}
	}
}

// A service that is told to end says so first. It answers what it has and what the router sent before it
// heard of it, and then closes the connection.
func TestServeLeaves(t *testing.T) {
	s, asked, release := leaver(clienttest.Patience)
	p, done := leaving(t, s, func(p *clienttest.Peer) {
		request(p, "1", "hold")
		await(t, asked)
	}, Options{})
	request(p, "2", "at once")
	request(p, "3", "hold")
	await(t, asked)
	left(p)
	release()
	got := answers(t, p)
	if err := await(t, done); err != nil {
		t.Error(err)
	}
	if len(got) != 3 {
		t.Fatalf("%d answers, want 3: %q", len(got), got)
	}
	for _, text := range got {
		if !strings.Contains(text, `"status_code":200`) {
			t.Errorf("answer %s, want 200", text)
		}
	}
}

// What a service cannot finish in time gets no answer from it, so that the router gives it to another
// instance: what is being worked at, what blocks the service, and what waits for it.
func TestServeLeavesRequestsBehind(t *testing.T) {
	for _, topic := range []string{"hold", "block"} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			// The router's answer must be read in half of the time even on a slow machine.
			s, asked, release := leaver(2 * time.Second)
			defer release()
			p, done := leaving(t, s, func(p *clienttest.Peer) {
				request(p, "1", topic)
				await(t, asked)
			}, Options{})
			left(p)
			request(p, "2", topic)
			if got := answers(t, p); len(got) > 0 {
				t.Errorf("answers %q, want none", got)
			}
			if err := await(t, done); err != nil {
				t.Error(err)
			}
		})
	}
}

// A router that does not know the message says nothing. The service ends all the same, and finishes first.
func TestServeLeavesOldRouter(t *testing.T) {
	s, asked, release := leaver(clienttest.Patience)
	p, done := leaving(t, s, func(p *clienttest.Peer) {
		request(p, "1", "hold")
		await(t, asked)
	}, Options{Client: client.Options{CloseTimeout: 500 * time.Millisecond}})
	release()
	if got := answers(t, p); len(got) != 1 || !strings.Contains(got[0], `"status_code":200`) {
		t.Errorf("answers %q, want one with 200", got)
	}
	if err := await(t, done); err != nil {
		t.Error(err)
	}
}

// A router that does not know the message may not answer for a service that ends, so the service does.
func TestServeRefusesForOldRouter(t *testing.T) {
	s, asked, _ := leaver(20 * time.Millisecond)
	p, done := leaving(t, s, func(p *clienttest.Peer) {
		request(p, "1", "hold")
		await(t, asked)
	}, Options{})
	if got := answers(t, p); len(got) != 1 || !strings.Contains(got[0], `"status_code":503`) {
		t.Errorf("answers %q, want one with 503", got)
	}
	if err := await(t, done); err != nil {
		t.Error(err)
	}
}

// A connection that is lost while the service leaves is not made again.
func TestServeLosesConnectionWhileLeaving(t *testing.T) {
	s, asked, _ := leaver(clienttest.Patience)
	p, done := leaving(t, s, func(p *clienttest.Peer) {
		request(p, "1", "hold")
		await(t, asked)
	}, Options{Client: client.Options{Reconnect: client.Reconnect{Min: time.Millisecond, Max: time.Millisecond}}})
	p.Conn.Close()
	if err := await(t, done); err != nil {
		t.Error(err)
	}
}
