package eventsocket

import (
	"context"
	"strings"
	"sync"
)

// Kind says what a Delivery is.
type Kind int

const (
	// KindEvent is an event.
	KindEvent Kind = iota
	// KindGap means that the events after it do not follow the events before it: the connection was set up,
	// events did not fit into the queue, or the switch sent one that is too large. What the owner
	// knows is out of date and it must ask the switch for a new snapshot.
	KindGap
	// KindDown means that the connection ended. A KindGap follows when there is one again.
	KindDown
)

// Delivery is what a subscription's owner receives.
type Delivery struct {
	Kind Kind
	// Event is set for KindEvent only.
	Event *Event
	// Lost is the number of events that were taken from the queue or never entered it. It is 0 for an
	// event, and for a gap that only means a new connection.
	Lost int
}

// Subscription is the queue of one service. Any goroutine may call its methods.
type Subscription struct {
	name    string
	filters []Filter
	keep    func(header string) bool // nil: all headers are needed
	client  *Client
	maxLen  int
	maxSize int

	mu     sync.Mutex // Protects following.
	queue  []Delivery
	first  int // of queue
	events int // in queue
	size   int // bytes of the events in queue
	lost   uint64
	closed bool
	wake   chan struct{} // capacity 1

	// Client.mu protects these.
	session *session // the one that asked for the filters
	setUpAt int      // the set-up of the session after which events come
	ready   bool     // that set-up is complete
}

// Name returns the name that was given to Client.Subscribe.
func (s *Subscription) Name() string { return s.name }

// Lost returns how many events the owner has not received because it was too slow or the events were
// too large.
func (s *Subscription) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Next returns the next delivery. It waits for one until ctx ends, and returns ErrClosed after Close.
// Deliveries go to one caller each, in order.
func (s *Subscription) Next(ctx context.Context) (Delivery, error) {
	for {
		d, ok, err := s.take()
		if ok || err != nil {
			return d, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return Delivery{}, ctx.Err()
		}
	}
}

// Close ends the subscription and frees its queue. The switch goes on sending what only this subscription
// wanted until the next connection, because it would send everything after its last filter was deleted.
func (s *Subscription) Close() {
	s.client.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.clear()
	s.signal()
}

// wants reports whether one of the filters matches. Filters that follow each other with the same header share one look-up,
// because an event has many headers and a service many filters.
func (s *Subscription) wants(e *Event) bool {
	header, value, ok := "", "", false
	for _, filter := range s.filters {
		if filter.header != header {
			header = filter.header
			value, ok = e.Lookup(header)
		}
		if ok && strings.EqualFold(value, filter.value) {
			return true
		}
	}
	return false
}

func (s *Subscription) take() (Delivery, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.signal() // for other callers of Next
		return Delivery{}, false, ErrClosed
	}
	if s.first == len(s.queue) {
		return Delivery{}, false, nil
	}
	d := s.queue[s.first]
	s.queue[s.first] = Delivery{}
	s.first++
	if d.Kind == KindEvent {
		s.events--
		s.size -= d.Event.size
	}
	if s.first == len(s.queue) {
		s.queue, s.first = s.queue[:0], 0
		return d, true, nil
	}
	s.signal()
	return d, true, nil
}

// The settings of the daemon that bound a queue.
const (
	settingEvents = "switch.queue_events"
	settingBytes  = "switch.queue_bytes"
)

// push adds an event. If it does not fit, push empties the queue and leaves a gap, and returns how many events
// were lost and the setting of the limit.
func (s *Subscription) push(e *Event) (lost int, setting string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, ""
	case s.events >= s.maxLen:
		return s.overflow(1), settingEvents
	case s.size+e.size > s.maxSize:
		return s.overflow(1), settingBytes
	}
	s.events++
	s.size += e.size
	s.append(Delivery{Kind: KindEvent, Event: e})
	return 0, ""
}

// miss leaves a gap for an event that could not be read. What waits stays.
func (s *Subscription) miss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.lost++
	s.appendMark(KindGap, 1)
}

// mark adds a gap or a down.
func (s *Subscription) mark(k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.appendMark(k, 0)
	}
}

// appendMark replaces a mark at the end of the queue, so that marks cannot fill it.
func (s *Subscription) appendMark(k Kind, lost int) {
	if n := len(s.queue); n > s.first && s.queue[n-1].Kind != KindEvent {
		s.queue[n-1].Kind = k
		s.queue[n-1].Lost += lost
		return
	}
	s.append(Delivery{Kind: k, Lost: lost})
}

// overflow drops what waits: the owner needs a snapshot, which is newer than all of it.
func (s *Subscription) overflow(more int) int {
	lost := s.events + more
	total := lost
	for _, d := range s.queue[s.first:] {
		total += d.Lost
	}
	s.lost += uint64(lost)
	s.clear()
	s.append(Delivery{Kind: KindGap, Lost: total})
	return lost
}

func (s *Subscription) clear() {
	s.queue, s.first, s.events, s.size = nil, 0, 0, 0
}

func (s *Subscription) append(d Delivery) {
	if s.first > 0 && len(s.queue) == cap(s.queue) {
		n := copy(s.queue, s.queue[s.first:])
		clear(s.queue[n:])
		s.queue, s.first = s.queue[:n], 0
	}
	s.queue = append(s.queue, d)
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
