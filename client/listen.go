package client

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// Message is a broadcast of a service.
type Message struct {
	Service string
	Topic   string
	// Payload is JSON, null when there was none. It is shared with other listeners
	// and must not be changed.
	Payload json.RawMessage
	// Missed is how many messages were dropped between the one before and this one,
	// because this listener was too slow, or of the service because the client was
	// and the router dropped them.
	Missed uint64
	// Gap is true for the first message of the service after something may have been
	// lost, as Options.OnGap says. Missed of this listener alone is no gap.
	Gap bool
}

// listeners are those who want broadcasts.
type listeners struct {
	mu  sync.Mutex // protects following
	all []*listener
}

type listener struct {
	service string // empty for all
	queue   *queue[*incoming]
	heard   *heard
	ctx     context.Context // ends with cancel or with the client
	done    chan struct{}   // closed when its goroutine has ended
}

// Listen calls handler with each broadcast of service that arrives from now on, in
// order and one at a time, on a goroutine of its own; an empty service means all. Which
// services a client may hear is written in its token.
//
// A slow handler holds up nobody else: messages wait for it within Limits, and beyond
// them the oldest is dropped, which the next message tells in Missed.
//
// Listening ends with cancel, which does not wait for a call under way and may be
// called by handler, or with the client; what waits then is dropped. A nil handler
// listens to nothing, and its cancel does nothing.
func (c *Client) Listen(service string, handler func(Message)) (cancel func()) {
	if !c.dialed() || handler == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(c.link.ctx)
	l := &listener{
		service: service,
		queue:   newQueue[*incoming](c.link.opts.Limits),
		heard:   c.link.history.heard(),
		ctx:     ctx,
		done:    make(chan struct{}),
	}
	c.listeners.add(l)
	go func() {
		defer close(l.done)
		defer c.listeners.remove(l)
		defer cancel()
		l.run(handler)
	}()
	return cancel
}

// run hands over messages until the listener ends.
func (l *listener) run(handler func(Message)) {
	for {
		select {
		case <-l.queue.ready:
		case <-l.ctx.Done():
			return
		}
		for e, missed, ok := l.queue.pop(); ok && l.ctx.Err() == nil; e, missed, ok = l.queue.pop() {
			gap, dropped := l.heard.hear(e.service, e.mark)
			handler(Message{Service: e.service, Topic: e.topic, Payload: e.payload, Missed: missed + dropped, Gap: gap})
		}
	}
}

func (ls *listeners) add(l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.all = append(ls.all, l)
}

func (ls *listeners) remove(l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.all = slices.DeleteFunc(ls.all, func(other *listener) bool { return other == l })
}

// deliver queues e with everyone who listens to its service.
func (ls *listeners) deliver(e *incoming) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, l := range ls.all {
		if (l.service == "" || l.service == e.service) && l.ctx.Err() == nil {
			l.queue.replace(e, e.size)
		}
	}
}

// services returns what is listened to, each once.
func (ls *listeners) services() []string {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	var services []string
	for _, l := range ls.all {
		if l.ctx.Err() == nil {
			services = append(services, l.service)
		}
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// running returns the listeners whose goroutines have not ended.
func (ls *listeners) running() []*listener {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return slices.Clone(ls.all)
}
