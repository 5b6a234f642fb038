package eventsocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// session is one connection to the switch, from the login to its end. The goroutine of Client.Run reads; one
// goroutine of the session writes.
type session struct {
	client *Client
	opts   *Options
	conn   net.Conn
	in     *stream
	parser eventParser
	reader *deadlineReader

	// The reader's own.
	jobs    map[string]*pending // background commands whose result is awaited
	counted struct{ bytes, odd uint64 }
	probing bool
	works   bool // Client.connected was called
	skipped bool // an event was skipped, and the log says so

	mu    sync.Mutex // Protects following.
	queue []*pending // in the order in which commands were written
	out   []byte     // commands to write
	err   error      // why no more commands are accepted
	wake  chan struct{}

	// Client.mu protects these.
	filters   map[Filter]bool // asked for
	listening bool            // "event plain all" was sent
	asked     int             // set-ups sent
	setUp     int             // set-ups answered
}

func newSession(c *Client, conn net.Conn) *session {
	s := &session{client: c, opts: &c.opts, conn: conn, jobs: map[string]*pending{}, filters: map[Filter]bool{}, wake: make(chan struct{}, 1)}
	s.reader = &deadlineReader{conn: conn}
	s.in = newStream(s.reader, s.opts)
	s.in.begun = func() { s.reader.limit(s.opts.StallTimeout) }
	s.parser.maxHeaders = s.opts.MaxHeaders
	return s
}

// login waits for the switch's request and sends the password. What comes before the request is skipped.
func (s *session) login() error {
	s.reader.limit(s.opts.LoginTimeout)
	s.in.begun = func() {}
	defer func() { s.in.begun = func() { s.reader.limit(s.opts.StallTimeout) } }()
	if err := s.expect(kindAuthRequest); err != nil {
		return err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.opts.LoginTimeout))
	if _, err := io.WriteString(s.conn, "auth "+s.opts.Password+"\n\n"); err != nil {
		return fmt.Errorf("write password: %w", err)
	}
	return s.expect(kindReply)
}

func (s *session) expect(k kind) error {
	for {
		m, err := s.in.next()
		s.count()
		switch {
		case err != nil:
			return fmt.Errorf("read login: %w", err)
		case m.kind == kindRejection:
			return ErrRejected
		case m.kind == kindDisconnect:
			return errGoodbye
		case m.kind == k && k == kindReply && m.reply != "+OK accepted":
			return ErrPassword
		case m.kind == k:
			return nil
		}
	}
}

// read handles messages until the connection ends. It returns why.
func (s *session) read() error {
	for {
		s.reader.limit(s.opts.ProbeAfter)
		m, err := s.message()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errStalled
		}
		if err != nil {
			return err
		}
		if err := s.handle(m); err != nil {
			return err
		}
		if s.overdue() {
			return errStalled
		}
	}
}

// message returns the next message. If the switch is silent it asks once whether it is there.
func (s *session) message() (message, error) {
	if s.in.r.Buffered() == 0 {
		_, err := s.in.r.Peek(1)
		if errors.Is(err, os.ErrDeadlineExceeded) && !s.probing {
			s.probing = true
			s.reader.limit(s.opts.ProbeAfter)
			probed := func(Reply, error) error { return nil }
			if err := s.send(API("uptime"), &pending{answered: probed}); err != nil {
				return message{}, err
			}
			_, err = s.in.r.Peek(1)
		}
		if err != nil {
			return message{}, err
		}
	}
	s.probing = false
	m, err := s.in.next()
	s.count()
	return m, err
}

func (s *session) handle(m message) error {
	switch m.kind {
	case kindEvent:
		return s.event(m)
	case kindReply, kindAPI:
		return s.reply(m)
	case kindDisconnect:
		if !m.linger { // with linger the events go on until the switch closes
			return errGoodbye
		}
	case kindRejection:
		return ErrRejected
	}
	return nil
}

func (s *session) event(m message) error {
	s.client.counters.events.Add(1)
	s.client.counters.lastEvent.Store(s.client.opts.Clock.Now().UnixNano())
	if m.tooLarge {
		s.client.missed(s, ErrTooLarge)
		return nil
	}
	for {
		of := s.client.interest.Load()
		event, err := s.parser.parse(m.body, of)
		if err != nil {
			s.client.missed(s, err)
			return nil
		}
		if !s.client.deliver(s, event, of) {
			continue
		}
		if event.Truncated {
			s.client.counters.truncated.Add(1)
		}
		if s.opts.Jobs && event.Name() == "BACKGROUND_JOB" {
			s.finish(event)
		}
		return nil
	}
}

// finish gives the result of a background command to its caller.
func (s *session) finish(event *Event) {
	id := event.Get("Job-UUID")
	p := s.jobs[id]
	if p == nil {
		return
	}
	delete(s.jobs, id)
	p.answer <- outcome{reply: Reply{Body: event.Body, Job: id}}
}

// reply gives the message to the command that has waited longest: the switch answers in order.
func (s *session) reply(m message) error {
	s.client.counters.replies.Add(1)
	p := s.oldest()
	if p == nil || p.kind != m.kind && m.kind == kindAPI {
		return fmt.Errorf("reply without a command: %w", errFraming)
	}
	reply, err := Reply{Text: m.reply, Job: m.job, Body: string(toUTF8(m.body, 0))}, error(nil)
	if m.tooLarge {
		s.client.counters.tooLarge.Add(1)
		err = ErrTooLarge
	}
	if p.answered != nil {
		return p.answered(reply, err)
	}
	if p.abandoned() {
		s.client.counters.lateReplies.Add(1)
		return nil
	}
	if p.job && err == nil && m.job != "" {
		if s.prune(); len(s.jobs) < s.opts.MaxPending {
			s.jobs[m.job] = p
			return nil
		}
		err = ErrBusy
	}
	p.answer <- outcome{reply, err}
	return nil
}

// prune forgets background commands whose callers have gone.
func (s *session) prune() {
	for id, p := range s.jobs {
		if p.abandoned() {
			delete(s.jobs, id)
		}
	}
}

func (s *session) oldest() *pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	p := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return p
}

// overdue reports whether the oldest command has waited too long.
func (s *session) overdue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) > 0 && time.Since(s.queue[0].sent) > s.opts.ReplyLimit
}

// send queues the command. Only commands that API and BGAPI made come here from outside.
func (s *session) send(c Command, p *pending) error {
	p.kind = kindReply
	if c.verb == "api" {
		p.kind = kindAPI
	}
	return s.write(c.verb+" "+c.line, p, s.opts.MaxPending)
}

// write queues one line. limit is how many commands may wait.
func (s *session) write(line string, p *pending, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if len(s.queue) >= limit {
		return ErrBusy
	}
	p.sent = time.Now()
	s.queue = append(s.queue, p)
	s.out = append(append(s.out, line...), '\n', '\n')
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// writeLoop writes until the session has ended.
func (s *session) writeLoop(ctx context.Context) {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		out := s.out
		s.out = nil
		s.mu.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.opts.StallTimeout))
		if _, err := s.conn.Write(out); err != nil {
			s.conn.Close() // the reader notices and says why
			return
		}
	}
}

// end fails every command that waits. A later one is not sent.
func (s *session) end() {
	s.conn.Close()
	s.mu.Lock()
	queue := s.queue
	s.queue, s.err = nil, ErrNotConnected
	s.mu.Unlock()
	for _, p := range s.jobs {
		p.answer <- outcome{err: ErrDisconnected}
	}
	for _, p := range queue {
		if p.answered == nil {
			p.answer <- outcome{err: ErrDisconnected}
		}
	}
	s.count()
}

func (s *session) count() {
	s.client.counters.bytes.Add(s.in.bytes - s.counted.bytes)
	s.client.counters.malformed.Add(s.in.odd - s.counted.odd)
	s.counted.bytes, s.counted.odd = s.in.bytes, s.in.odd
}

// deadlineReader reads from the connection until a deadline. It sets the deadline only when it reads, so that
// messages which are in the buffer already cost nothing.
type deadlineReader struct {
	conn  net.Conn
	after time.Duration
	at    time.Time // zero: after from now
}

func (r *deadlineReader) limit(after time.Duration) { r.after, r.at = after, time.Time{} }

func (r *deadlineReader) Read(b []byte) (int, error) {
	if r.at.IsZero() {
		r.at = time.Now().Add(r.after)
		_ = r.conn.SetReadDeadline(r.at)
	}
	return r.conn.Read(b)
}
