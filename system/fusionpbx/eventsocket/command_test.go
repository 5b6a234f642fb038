package eventsocket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// script is a switch of which the test says every byte. It accepts one connection after another.
type script struct {
	*testing.T
	ctx    context.Context
	client *eventsocket.Client
	conns  chan net.Conn
	conn   net.Conn
	in     *bufio.Reader
}

func newScript(t *testing.T, change ...func(*eventsocket.Options)) *script {
	t.Helper()
	s := &script{T: t, conns: make(chan net.Conn)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	s.ctx = ctx
	options := eventsocket.Options{Password: "secret", Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case s.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	for _, f := range change {
		f(&options)
	}
	client, err := eventsocket.New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.client = client
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if s.conn != nil {
			s.conn.Close()
		}
	})
	return s
}

// login accepts the next connection.
func (s *script) login() {
	s.Helper()
	select {
	case s.conn = <-s.conns:
	case <-s.ctx.Done():
		s.Fatal("no connection")
	}
	s.in = bufio.NewReader(s.conn)
	s.say("Content-Type: auth/request\n\n")
	s.expect("auth secret")
	s.say("Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
}

func (s *script) say(text string) {
	s.Helper()
	if _, err := io.WriteString(s.conn, text); err != nil {
		s.Fatal(err)
	}
}

func (s *script) api(body string) {
	s.Helper()
	s.say(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body))
}

func (s *script) event(text string) {
	s.Helper()
	s.say(fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(text), text))
}

func (s *script) expect(want string) {
	s.Helper()
	var lines []string
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.Fatal(err)
		}
		if line == "\n" {
			break
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	if got := strings.Join(lines, "|"); got != want {
		s.Fatalf("the switch got %q, want %q", got, want)
	}
}

// result of a command that runs beside the test.
type result struct {
	reply eventsocket.Reply
	err   error
}

func (s *script) do(ctx context.Context, command eventsocket.Command) <-chan result {
	done := make(chan result, 1)
	go func() {
		reply, err := s.client.Do(ctx, command)
		done <- result{reply, err}
	}()
	return done
}

// connected waits until the client accepts commands, which it does soon after the login.
func (s *script) connected() {
	s.Helper()
	probe := s.client
	for probe.Stats().Connects == 0 && s.ctx.Err() == nil {
		_, _ = io.WriteString(s.conn, "\n") // returns when the client has read it
	}
}

// TestLateReply lets a command's deadline pass. Its reply must not become that of the next command.
func TestLateReply(t *testing.T) {
	s := newScript(t)
	s.login()
	s.connected()
	ctx, cancel := context.WithCancel(s.ctx)
	first := s.do(ctx, eventsocket.API("first"))
	s.expect("api first")
	cancel()
	if r := <-first; !errors.Is(r.err, context.Canceled) {
		t.Fatalf("got %v", r.err)
	}
	second := s.do(s.ctx, eventsocket.API("second"))
	s.expect("api second")
	third := s.do(s.ctx, eventsocket.BGAPI("third"))
	s.expect("bgapi third")
	s.api("1")
	s.event("Event-Name: HEARTBEAT\n\n")
	s.api("2\n\nContent-Type: api/response\nContent-Length: 4\n\nfake")
	s.event("Event-Name: A\nContent-Length: 5\n\nhello")
	s.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: 3\nJob-UUID: 3\n\n")
	if r := <-second; r.err != nil || !strings.HasPrefix(r.reply.Body, "2\n\n") || !strings.HasSuffix(r.reply.Body, "fake") {
		t.Errorf("second got %+v", r)
	}
	if r := <-third; r.err != nil || r.reply.Job != "3" || r.reply.Text != "+OK Job-UUID: 3" {
		t.Errorf("third got %+v", r)
	}
	if stats := s.client.Stats(); stats.Late != 1 || stats.Failures != 0 {
		t.Errorf("stats %+v", stats)
	}
}

// TestReplyErrors covers a body that is too large, a full queue, a reply to nothing, and the end of the connection.
func TestReplyErrors(t *testing.T) {
	s := newScript(t, func(o *eventsocket.Options) { o.MaxBody, o.MaxPending, o.MinBackoff = 10, 2, 1 })
	s.login()
	s.connected()
	first := s.do(s.ctx, eventsocket.API("first"))
	s.expect("api first")
	second := s.do(s.ctx, eventsocket.API("second"))
	s.expect("api second")
	if _, err := s.client.Do(s.ctx, eventsocket.API("third")); !errors.Is(err, eventsocket.ErrBusy) {
		t.Errorf("third: %v", err)
	}
	s.api("eleven char")
	if r := <-first; !errors.Is(r.err, eventsocket.ErrTooLarge) {
		t.Errorf("first: %v", r.err)
	}
	s.say("Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 3\n\nbye")
	s.say("Content-Type: text/disconnect-notice\nContent-Length: 3\n\nbye")
	if r := <-second; !errors.Is(r.err, eventsocket.ErrDisconnected) {
		t.Errorf("second: %v", r.err)
	}
	s.conn.Close()
	s.login()
	s.api("nobody asked")
	s.conn.Close()
	s.login()
}

// TestDown has the connection end while a subscription and a command wait for something.
func TestDown(t *testing.T) {
	s := newScript(t, func(o *eventsocket.Options) { o.MinBackoff = 1 })
	sub, err := s.client.Subscribe("test", eventsocket.Match("Event-Name", "A"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.login()
		s.expect("filter Event-Name A")
		s.expect("event plain all")
		s.say("Content-Type: command/reply\nReply-Text: +OK filter added. [Event-Name]=[A]\n\n")
		s.say("Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n")
		if d, err := sub.Next(s.ctx); err != nil || d.Kind != eventsocket.KindGap {
			t.Fatalf("got %s, %v, want a gap", show(d), err)
		}
		s.say("Content-Length: 99\nContent-Type: text/event-plain\n\nEvent-Na")
		s.conn.Close()
		// The next connection is not accepted yet, so nothing can have replaced the mark.
		if d, err := sub.Next(s.ctx); err != nil || d.Kind != eventsocket.KindDown {
			t.Fatalf("got %s, %v, want a down", show(d), err)
		}
	}
	s.login()
}

// TestUnanswered has a switch that sends events and no replies. The client leaves it, though nobody waits for the
// command any more.
func TestUnanswered(t *testing.T) {
	s := newScript(t, func(o *eventsocket.Options) { o.MinBackoff, o.ReplyLimit = 1, 1 })
	s.login()
	s.connected()
	ctx, cancel := context.WithCancel(s.ctx)
	first := s.do(ctx, eventsocket.API("first"))
	s.expect("api first")
	cancel()
	<-first
	s.event("Event-Name: HEARTBEAT\n\n")
	if _, err := s.in.ReadByte(); err != io.EOF { // it is the client that ends the connection
		t.Errorf("got %v", err)
	}
	s.login()
}

// TestBackground awaits a result that comes among others.
func TestBackground(t *testing.T) {
	s := newScript(t, func(o *eventsocket.Options) { o.Jobs = true })
	s.login()
	s.expect("filter Event-Name BACKGROUND_JOB")
	s.expect("event plain all")
	s.say("Content-Type: command/reply\nReply-Text: +OK filter added. [Event-Name]=[BACKGROUND_JOB]\n\n")
	s.say("Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n")
	done := make(chan result, 1)
	go func() {
		reply, err := s.client.Background(s.ctx, eventsocket.BGAPI("originate"))
		done <- result{reply, err}
	}()
	s.expect("bgapi originate")
	s.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: 7\nJob-UUID: 7\n\n")
	s.event("Event-Name: BACKGROUND_JOB\nJob-UUID: 6\nContent-Length: 3\n\n+OK")
	s.event("Event-Name: BACKGROUND_JOB\nJob-UUID: 7\nContent-Length: 24\n\n-ERR USER_NOT_REGISTERED")
	if r := <-done; r.err != nil || !r.reply.Failed() || r.reply.Body != "-ERR USER_NOT_REGISTERED" {
		t.Errorf("got %+v", r)
	}
	for range 3 { // nobody waits for it any more, and nothing may hang
		s.event("Event-Name: BACKGROUND_JOB\nJob-UUID: 7\nContent-Length: 3\n\n+OK")
	}
	after := s.do(s.ctx, eventsocket.API("after"))
	s.expect("api after")
	s.api("x")
	if r := <-after; r.err != nil {
		t.Errorf("after: %v", r.err)
	}
}

// TestManyCallers has every caller get the answer to its own command while events come in pieces between them.
func TestManyCallers(t *testing.T) {
	r := newRig(t, busy, switchsim.Faults{Split: 100})
	sub := r.subscribe(calls()...)
	r.run()
	r.gap(sub)
	var callers sync.WaitGroup
	flooded := make(chan error, 1)
	go func() { flooded <- r.sim.Flood(r.ctx, 300, 0) }()
	for i := range 20 {
		callers.Go(func() {
			for range 20 {
				command := eventsocket.API("nosuch", eventsocket.Int(int64(i)))
				want := "-ERR nosuch Command not found!\n"
				if i%2 == 0 {
					command, want = eventsocket.API("uuid_kill"), "-USAGE: <uuid> [cause]\n"
				}
				reply, err := r.client.Do(r.ctx, command)
				if err != nil || reply.Body != want || !reply.Failed() {
					t.Errorf("%s: %q, %v", command, reply.Body, err)
				}
			}
		})
	}
	callers.Wait()
	if err := <-flooded; err != nil {
		t.Fatal(err)
	}
}

// TestLateSubscription joins a connection that is there already.
func TestLateSubscription(t *testing.T) {
	r := newRig(t, busy, switchsim.Faults{})
	r.run()
	first := r.subscribe(eventsocket.Match("Event-Name", "HEARTBEAT"))
	r.gap(first)
	second := r.subscribe(eventsocket.Match("event-name", "heartbeat"), eventsocket.Match("Event-Name", "CHANNEL_CREATE"))
	r.gap(second)
	third := r.subscribe(eventsocket.Match("Event-Name", "CHANNEL_CREATE"))
	r.gap(third)
	first.Close()
	if _, err := first.Next(r.ctx); !errors.Is(err, eventsocket.ErrClosed) {
		t.Errorf("closed subscription: %v", err)
	}
	r.play()
	for range 3 {
		receive(r, second)
	}
	for range 2 {
		receive(r, third)
	}
	var filters []string
	for _, c := range r.sim.Commands() {
		if strings.HasPrefix(c.Text, "filter") {
			filters = append(filters, c.Text)
		}
	}
	if fmt.Sprint(filters) != "[filter Event-Name HEARTBEAT filter Event-Name CHANNEL_CREATE]" {
		t.Errorf("filters %q", filters)
	}
}
