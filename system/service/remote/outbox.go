package remote

import (
	"context"
	"sync"
)

// outbox is what a service has said and the socket has not taken yet, bounded in messages and in
// bytes. Putting never blocks.
type outbox struct {
	messages, bytes int           // what broadcasts may fill; replies a quarter more
	ready           chan struct{} // receives after a put; then take until there is nothing

	mu      sync.Mutex // protects following
	open    bool       // takes frames
	flowing bool       // gives them
	frames  [][]byte
	size    int
	moving  bool          // a frame was taken and not handed over yet
	dropped uint64        // for lack of room, since the last was taken
	change  chan struct{} // closed and replaced when something was taken; nil: nobody waits
}

func newOutbox(messages, bytes int) *outbox {
	return &outbox{messages: messages, bytes: bytes, ready: make(chan struct{}, 1)}
}

// put appends a frame. What does not fit, and everything while the outbox is closed, is dropped. A
// first frame always fits.
func (o *outbox) put(frame []byte, reply bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	messages, bytes := o.messages, o.bytes
	if reply {
		messages, bytes = messages+messages/4, bytes+bytes/4
	}
	if !o.open {
		return
	}
	if len(o.frames) > 0 && (len(o.frames) >= messages || o.size+len(frame) > bytes) {
		o.dropped++
		return
	}
	o.frames = append(o.frames, frame)
	o.size += len(frame)
	o.signal()
}

// signal has whoever waits for ready look.
func (o *outbox) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take returns the oldest frame, nil if there is none or the outbox does not flow, and how many found
// no room since the last call. The frame is under way until handed is called.
func (o *outbox) take() (frame []byte, dropped uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	dropped, o.dropped = o.dropped, 0
	if o.flowing && len(o.frames) > 0 {
		o.moving = true
		frame = o.frames[0]
		o.frames[0] = nil
		o.frames = o.frames[1:]
		o.size -= len(frame)
	}
	return frame, dropped
}

// handed says that the frame taken last is with the socket, or lost with it.
func (o *outbox) handed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.moving = false
	o.changed()
}

// reset drops what waits, for another connection, or because there is none. Nothing can be taken until
// flow is called.
func (o *outbox) reset(open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open, o.flowing, o.frames, o.size = open, false, nil, 0
	o.changed()
}

// flow says that what is taken can be sent.
func (o *outbox) flow() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flowing = true
	o.signal()
}

// changed is called with mu held.
func (o *outbox) changed() {
	if o.change != nil {
		close(o.change)
		o.change = nil
	}
}

// room returns when no more than half of what broadcasts may fill is taken, or ctx has ended.
func (o *outbox) room(ctx context.Context) error {
	return o.wait(ctx, func() bool { return len(o.frames) <= o.messages/2 && o.size <= o.bytes/2 })
}

// flushed returns when everything was handed over, or ctx has ended.
func (o *outbox) flushed(ctx context.Context) error {
	return o.wait(ctx, func() bool { return len(o.frames) == 0 && !o.moving })
}

func (o *outbox) wait(ctx context.Context, done func() bool) error {
	for {
		o.mu.Lock()
		if done() {
			o.mu.Unlock()
			return ctx.Err()
		}
		if o.change == nil {
			o.change = make(chan struct{})
		}
		change := o.change
		o.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
