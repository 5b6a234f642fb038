package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// stream is a peer that gets its messages as server-sent events, and may send messages by POST.
type stream struct {
	guest

	// positions is nil if the stream has not asked for ids. It belongs to the one who writes, from the admission on.
	positions *positions

	probes chan struct{} // has an element when a heartbeat is to be written

	// Protected by mu of guest.
	probed  uint64           // bytes that the peer had acknowledged before that
	open    bool             // it is admitted
	queue   []event          // not written yet
	waiting int              // messages of queue, and of what is being written, that count for the bound
	bytes   int64            // of them
	owed    []*runtime.Lease // of messages that hold their share until they are written
}

// event is a message on its way to a stream.
type event struct {
	text     []byte // JSON
	recorded *actors.Recorded
	free     bool // it does not count for the bound
}

// Admit implements actors.Outlet.
func (s *stream) Admit(role actors.Role, m actors.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.positions != nil {
		s.positions.begin(m.Text())
	}
	s.open = true
	held := s.queue
	s.queue = nil
	s.put(m)
	s.queue = append(s.queue, held...)
	s.admit(role)
	s.signal()
}

// Send implements actors.Outlet.
func (s *stream) Send(m actors.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.waiting > 0 && (s.waiting >= s.limits.OutboundMessages || s.bytes+int64(len(m.Text())) > s.limits.OutboundBytes)
	switch {
	case s.over:
		s.handler.deps.Counters.Dead(actors.SocketClosed)
	case m.Recorded != nil && m.Recorded.Replayed && !s.open:
		s.queue = append(s.queue, event{m.Text(), m.Recorded, true}) // the history has bounds of its own
		s.account.charge(int64(len(m.Text())))
	case full && m.Refused != nil:
		m.Refused.Refuse()
	case full:
		s.cutOff(refusals.SlowReader, "messages", s.waiting, "bytes", s.bytes)
	default:
		s.put(m)
		if s.open {
			s.signal()
		}
	}
}

// put adds a message to the queue. The caller holds mu.
func (s *stream) put(m actors.Message) {
	s.queue = append(s.queue, event{text: m.Text(), recorded: m.Recorded})
	s.waiting++
	s.bytes += int64(len(m.Text()))
	s.account.charge(int64(len(m.Text())))
	if m.Lease.Of(&s.window) {
		m.Lease.Retain()
		s.owed = append(s.owed, m.Lease)
	}
}

// take returns what is to be written, and whether nothing comes after it.
func (s *stream) take() (events []event, owed []*runtime.Lease, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, owed = s.queue, s.owed
	s.queue, s.owed = nil, nil
	return events, owed, s.over
}

// written says that what take returned is out, or never will be.
func (s *stream) written(events []event, owed []*runtime.Lease) {
	all := int64(0)
	s.mu.Lock()
	for _, e := range events {
		all += int64(len(e.text))
		if !e.free {
			s.waiting--
			s.bytes -= int64(len(e.text))
		}
	}
	s.mu.Unlock()
	s.account.settle(all)
	for _, lease := range owed {
		lease.Release()
	}
}

// queued returns what waits for the peer.
func (s *stream) queued() (messages int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting, s.bytes
}

// Probe implements actors.Prober.
func (s *stream) Probe() {
	acked, _ := s.conn.Acked()
	s.mu.Lock()
	s.probed = acked
	s.mu.Unlock()
	select {
	case s.probes <- struct{}{}:
	default:
	}
}

// Silent implements actors.Prober. A peer that has not acknowledged anything since, the heartbeat least of all, is gone.
// Where the system does not tell, nobody is silent.
func (s *stream) Silent() bool {
	acked, known := s.conn.Acked()
	s.mu.Lock()
	defer s.mu.Unlock()
	return known && acked == s.probed
}

// id returns where the stream is, empty if it has not asked or is nowhere.
func (s *stream) id() string {
	if s.positions == nil {
		return ""
	}
	return s.positions.id()
}

// idAt returns the id of an event, empty if it does not change.
func (s *stream) idAt(r *actors.Recorded) string {
	if s.positions == nil || r == nil {
		return ""
	}
	s.positions.set(r.Service, r.Position)
	return s.positions.id()
}

// end returns why the stream has ended.
func (s *stream) end() actors.End {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// streams are those that are open, by a hash of their secrets.
type streams struct {
	mu   sync.Mutex // Protects following.
	all  map[[sha256.Size]byte]*stream
	open atomic.Int64
}

func (t *streams) init() { t.all = make(map[[sha256.Size]byte]*stream) }

// add returns the secret with which messages may be sent in the name of the stream.
func (t *streams) add(s *stream) (secret string) {
	secret = envelope.NewID()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[sha256.Sum256([]byte(secret))] = s
	t.open.Add(1)
	return secret
}

func (t *streams) remove(secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, sha256.Sum256([]byte(secret)))
	t.open.Add(-1)
}

// of returns the stream with a secret, nil if there is none.
func (t *streams) of(secret string) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all[sha256.Sum256([]byte(secret))]
}

// events answers a GET with a stream until one side ends it.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, session *Session, l *Limits) *problem {
	t, ok := tokenOf(r, "")
	if name := r.URL.Query().Get("token_name"); !ok && name != "" {
		// A page cannot say more than a URL when it opens a stream.
		t, ok = token{name, r.URL.Query().Get("token_hash")}, true
	}
	if !ok {
		return noToken
	}
	s := &stream{probes: make(chan struct{}, 1)}
	s.init(h, session, l)
	defer s.drop()
	s.actor = actors.SpawnConnection(h.deps, session.conn.Router(), s, s.remote)
	if !session.listen(s) {
		return sessionOver
	}
	asked := wish(r)
	if asked != nil {
		s.positions = new(positions)
	}
	if p := s.present(r.Context(), t, asked); p != nil {
		return p
	}
	secret := h.streams.add(s)
	defer h.streams.remove(secret)
	head := w.Header()
	head.Set("Content-Type", mediaType)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Accel-Buffering", "no") // for nginx, which would keep events back
	head.Set("Connection", "close")
	first := fmt.Appendf(nil, "retry: %d\n", retry())
	first = appendEvent(first, "open", s.id(), fmt.Appendf(nil, `{"stream":%q}`, secret))
	s.write(r.Context(), w, l, first)
	return nil
}

// retry returns after how many milliseconds a page is to come back: those of a router that restarts do not come all at
// once.
func retry() int { return 1000 + rand.IntN(4000) } //nolint:gosec // no secret

// drop gives back what is not written.
func (s *stream) drop() {
	s.Close(actors.ReadOver)
	events, owed, _ := s.take()
	s.written(events, owed)
	s.leave()
}

// piece is what a slow reader must take within one write timeout, in bytes, as for sockets.
const piece = 64 << 10

// write writes what comes for the stream, after the first bytes.
func (s *stream) write(ctx context.Context, w http.ResponseWriter, l *Limits, buffer []byte) {
	control := http.NewResponseController(w)
	var beat <-chan time.Time
	if l.PingInterval > 0 {
		ticker := time.NewTicker(l.PingInterval)
		defer ticker.Stop()
		beat = ticker.C
	}
	for over := false; !over; {
		var events []event
		var owed []*runtime.Lease
		events, owed, over = s.take()
		for _, e := range events {
			buffer = appendEvent(buffer, "", s.idAt(e.recorded), e.text)
		}
		if over {
			why := s.end()
			buffer = appendEvent(buffer, "close", "", fmt.Appendf(nil, `{"code":%d,"reason":%q}`, s.handler.code(why), why))
		}
		err := writePieces(control, w, buffer, l.WriteTimeout, s.account.take)
		s.written(events, owed)
		if err != nil {
			s.failed(err, len(events), int64(len(buffer)))
			return
		}
		if over {
			return
		}
		if buffer = buffer[:0]; cap(buffer) > piece {
			buffer = nil
		}
		select {
		case <-s.came:
		case <-s.ended:
		case <-beat:
			buffer = append(buffer, heartbeat...)
		case <-s.probes:
			buffer = append(buffer, heartbeat...)
		case <-ctx.Done():
			return
		}
	}
}

// writePieces writes and flushes p, with a deadline for each piece. It calls took when one is written.
func writePieces(control *http.ResponseController, w http.ResponseWriter, p []byte, timeout time.Duration, took func(n int)) error {
	for len(p) > 0 {
		n := min(len(p), piece)
		if err := control.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return fmt.Errorf("set deadline: %w", err)
		}
		if _, err := w.Write(p[:n]); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
		took(n)
		p = p[n:]
	}
	return nil
}

// failed ends a stream that could not be written to.
func (s *stream) failed(err error, messages int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.cutOff(refusals.WriteTimeout, "messages", messages+s.waiting, "bytes", bytes+s.bytes)
	}
}
