package system

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

// parrot answers, tells who asks, crashes and broadcasts, as it is told.
func parrot(name string) *service.Service {
	return &service.Service{
		Name:   name,
		Policy: service.Everyone(),
		Setup: func(s service.Setup) error {
			count := 0
			s.Handle("count", func(r service.Request) error {
				count++
				r.Reply(count)
				return nil
			})
			s.Handle("whoami", func(r service.Request) error {
				who := r.Subscriber()
				r.Reply(map[string]any{"domain": who.DomainName, "user": who.User.Name, "uuid": who.User.UUID,
					"extensions": who.User.Extensions, "may": who.Has("see")})
				return nil
			})
			s.Handle("crash", func(service.Request) error { panic("told to") })
			s.Handle("say", func(r service.Request) error {
				r.Broadcast("said", r.Payload())
				r.Reply(nil)
				return nil
			})
			return nil
		},
	}
}

func member(t testing.TB, s *System, spec token.Spec) *client.Client {
	t.Helper()
	c, err := dial(s, mint(t, s.cfg.Tokens.Directory, spec), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func ask(t *testing.T, c *client.Client, name, topic string, payload any) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := c.Request(ctx, name, topic, payload)
	if err != nil {
		return "", err
	}
	return string(reply.Payload), nil
}

func wantReply(t *testing.T, c *client.Client, name, topic string, payload any, want string) {
	t.Helper()
	if got, err := ask(t, c, name, topic, payload); err != nil || got != want {
		t.Errorf("%s of %s: got %s, %v; want %s", topic, name, got, err, want)
	}
}

func TestServiceInside(t *testing.T) {
	s := start(t, testConfig(t), parrot("a"), parrot("b"))
	c := member(t, s, token.Spec{Kind: token.User, Services: []string{"a"}, Permissions: []string{"see"},
		DomainName: "a.example", UserName: "alice", UserUUID: "uuid-1", Extensions: []string{"100@a.example"}})
	wantReply(t, c, "a", "count", nil, "1")
	wantReply(t, c, "a", "count", nil, "2")
	wantReply(t, c, "b", "count", nil, "1")
	wantReply(t, c, "a", "whoami", nil, `{"domain":"a.example","extensions":["100@a.example"],"may":true,"user":"alice","uuid":"uuid-1"}`)

	heard := make(chan client.Message, 8)
	defer c.Listen("a", func(m client.Message) { heard <- m })()
	wantReply(t, c, "a", "say", map[string]int{"n": 1}, "null")
	select {
	case m := <-heard:
		if m.Topic != "said" || string(m.Payload) != `{"n":1}` {
			t.Errorf("heard %s %s", m.Topic, m.Payload)
		}
	case <-time.After(patience):
		t.Fatal("the broadcast was not heard")
	}
}

func TestServiceCrashes(t *testing.T) {
	s := start(t, testConfig(t), parrot("a"), parrot("b"))
	c := member(t, s, token.Spec{Kind: token.User, Services: []string{"a"}})
	states := make(chan string, 64)
	defer c.Listen("a", func(m client.Message) {
		var state struct{ State string }
		if m.Topic != service.StateTopic {
			return
		}
		if err := json.Unmarshal(m.Payload, &state); err != nil {
			t.Error(err)
		}
		states <- state.State
	})()
	wantReply(t, c, "a", "count", nil, "1")
	var status *client.StatusError
	if _, err := ask(t, c, "a", "crash", nil); !errors.As(err, &status) || status.Code != 500 {
		t.Errorf("the one who crashed it got %v, want status 500", err)
	}
	// In place, at once, with fresh state; the others and the connection did not notice.
	wantReply(t, c, "a", "count", nil, "1")
	wantReply(t, c, "b", "count", nil, "1")
	for _, want := range []string{"restarting", "up"} {
		select {
		case got := <-states:
			if got != want {
				t.Errorf("state %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("state %q was not broadcast", want)
		}
	}
	if got, err := ask(t, c, "a", service.StateTopic, nil); err != nil || !strings.Contains(got, `"state":"up"`) {
		t.Errorf("asked for its state: %s, %v", got, err)
	}
}

// While a service waits for its next start its requests are answered at once.
func TestServiceIsDown(t *testing.T) {
	broken := parrot("a")
	broken.Supervision = service.Supervision{Intensity: -1, CoolDown: time.Hour}
	s := start(t, testConfig(t), broken, parrot("b"))
	c := member(t, s, token.Spec{Kind: token.User})
	var status *client.StatusError
	if _, err := ask(t, c, "a", "crash", nil); !errors.As(err, &status) || status.Code != 500 {
		t.Errorf("the one who crashed it got %v, want status 500", err)
	}
	if _, err := ask(t, c, "a", "count", nil); !errors.As(err, &status) || status.Code != 503 {
		t.Fatalf("while it is down: %v, want status 503", err)
	}
	var payload struct {
		RetryAfter float64 `json:"retry_after"`
	}
	if err := json.Unmarshal(status.Payload, &payload); err != nil || payload.RetryAfter < 3500 || payload.RetryAfter > 3600 {
		t.Errorf("payload %s, %v; want retry_after of about an hour", status.Payload, err)
	}
	if got, err := ask(t, c, "a", service.StateTopic, nil); err != nil || !strings.Contains(got, `"state":"down"`) {
		t.Errorf("asked for its state: %s, %v", got, err)
	}
	wantReply(t, c, "b", "count", nil, "1")
}

// What a service holds when the system stops is answered before the connections are closed.
func TestStopLetsServicesFinish(t *testing.T) {
	begun, finish := make(chan struct{}, 16), make(chan struct{})
	slow := &service.Service{
		Name:   "slow",
		Policy: service.Everyone(),
		Setup: func(s service.Setup) error {
			s.Handle("x", func(r service.Request) error {
				begun <- struct{}{}
				<-finish
				r.Reply("done")
				return nil
			})
			return nil
		},
	}
	cfg := testConfig(t)
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, slow)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	const requests = 5
	c := member(t, s, token.Spec{Kind: token.User})
	replies := make(chan error, requests)
	for range requests {
		go func() {
			got, err := ask(t, c, "slow", "x", nil)
			if err == nil && got != `"done"` {
				err = errors.New(got)
			}
			replies <- err
		}()
	}
	<-begun // the others wait in the service's mailbox or are on their way
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	close(finish)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	answered := 0
	for range requests {
		if err := <-replies; err == nil {
			answered++
		} else if !errors.Is(err, client.ErrUnavailable) && !errors.Is(err, client.ErrDisconnected) {
			t.Error(err)
		}
	}
	if answered == 0 {
		t.Error("the request under way was not answered")
	}
}

func TestServicesThatCannotBe(t *testing.T) {
	_, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler)},
		parrot("a"), parrot("a"), &service.Service{Name: "b"}, parrot(""))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{`service "a": the name is given twice`, `service "b"`, `service ""`} {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("no line begins with %s in:\n%v", want, err)
		}
	}
}
