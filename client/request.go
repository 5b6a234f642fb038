package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"sync"
)

// calls are the requests under way, by id. Ids count up and are never used again.
type calls struct {
	mu    sync.Mutex // protects following
	last  uint64
	sinks map[string]func(*incoming)
}

// add gives out an id. sink takes the replies to it, on the reader's goroutine, until
// remove is called; it must not block.
func (c *calls) add(sink func(*incoming)) (id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sinks == nil {
		c.sinks = make(map[string]func(*incoming))
	}
	c.last++
	id = strconv.FormatUint(c.last, 10)
	c.sinks[id] = sink
	return id
}

func (c *calls) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sinks, id)
}

// deliver reports whether somebody waited for e.
func (c *calls) deliver(e *incoming) bool {
	c.mu.Lock()
	sink := c.sinks[e.requestID]
	c.mu.Unlock()
	if sink == nil {
		return false
	}
	sink(e)
	return true
}

// Request asks service for topic and returns its first reply. The payload is encoded
// with encoding/json; nil is sent as {}.
//
// A reply with a status code of 400 or more is returned as a *StatusError, which
// errors.Is compares with ErrForbidden and the like. Other errors are ErrTimeout and
// context.Canceled as ctx ends, ErrDisconnected when the connection is lost before
// the reply, and ErrClosed. With Options.Resume a request may outlive the connection, and
// ErrDisconnected comes when the router has said that it has not. The request may have been carried out in all of these
// cases; it is never sent twice. While the client is offline Request waits.
func (c *Client) Request(ctx context.Context, service, topic string, payload any) (*Reply, error) {
	if !c.dialed() {
		return nil, fmt.Errorf("request %q of %q: %w", topic, service, ErrClosed)
	}
	ctx = background(ctx)
	if _, ok := ctx.Deadline(); !ok && c.link.opts.RequestTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.link.opts.RequestTimeout)
		defer cancel()
	}
	reply, err := c.request(ctx, service, topic, payload)
	if err != nil {
		return nil, fmt.Errorf("request %q of %q: %w", topic, service, err)
	}
	return reply, nil
}

func (c *Client) request(ctx context.Context, service, topic string, payload any) (*Reply, error) {
	first := make(chan *incoming, 1)
	id := c.calls.add(func(e *incoming) {
		select {
		case first <- e:
		default: // only the first counts
		}
	})
	defer c.calls.remove(id)
	s, err := c.send(ctx, id, service, topic, payload)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case e := <-first:
			return e.reply()
		case <-ctx.Done():
			return nil, contextError(ctx)
		case <-s.over():
		}
		next := s.after(id)
		if next == nil {
			break
		}
		s = next
	}
	// The reply may have come just before the end.
	select {
	case e := <-first:
		return e.reply()
	default:
		return nil, c.link.lost(s)
	}
}

// Stream asks service for topic, each time it is ranged over, and yields the replies
// as they come. Nothing in the protocol marks the last one, so it goes on until the
// caller breaks or ctx ends, which ends the iteration without an error once the
// request was sent. An error ends it too; its reply is nil and it is one that Request
// may return, or ErrOverflow. Options.RequestTimeout does not apply.
func (c *Client) Stream(ctx context.Context, service, topic string, payload any) iter.Seq2[*Reply, error] {
	return func(yield func(*Reply, error) bool) {
		if !c.dialed() {
			yield(nil, fmt.Errorf("request %q of %q: %w", topic, service, ErrClosed))
			return
		}
		if err := c.stream(background(ctx), service, topic, payload, yield); err != nil {
			yield(nil, fmt.Errorf("request %q of %q: %w", topic, service, err))
		}
	}
}

// stream returns nil when the caller has broken off or ctx has ended.
func (c *Client) stream(ctx context.Context, service, topic string, payload any, yield func(*Reply, error) bool) error {
	replies := newQueue[*incoming](c.link.opts.Limits)
	overflow := make(chan struct{})
	var once sync.Once
	id := c.calls.add(func(e *incoming) {
		select {
		case <-overflow: // a gap must not be passed over
		default:
			if !replies.push(e, e.size) {
				once.Do(func() { close(overflow) })
			}
		}
	})
	defer c.calls.remove(id)
	s, err := c.send(ctx, id, service, topic, payload)
	if err != nil {
		return err
	}
	for {
		var end error
		select {
		case <-replies.ready:
		case <-ctx.Done():
			return nil
		case <-overflow:
			end = ErrOverflow
		case <-s.over():
			if next := s.after(id); next != nil {
				s = next
				continue
			}
			end = c.link.lost(s)
		}
		for e, _, ok := replies.pop(); ok; e, _, ok = replies.pop() {
			reply, err := e.reply()
			if err != nil {
				return err
			}
			if !yield(reply, nil) || ctx.Err() != nil {
				return nil
			}
		}
		if end != nil {
			return end
		}
	}
}

// send checks and sends a request and returns the socket it went to.
func (c *Client) send(ctx context.Context, id, service, topic string, payload any) (*socket, error) {
	switch service {
	case "":
		return nil, errors.New("service name is empty")
	case authentication:
		return nil, errors.New("service name is reserved for the router")
	}
	frame, err := encodeRequest(id, service, topic, payload)
	if err != nil {
		return nil, err
	}
	if limit := c.link.opts.Limits.MessageBytes; len(frame) > limit {
		return nil, fmt.Errorf("message of %d bytes is above the limit of %d", len(frame), limit)
	}
	return c.link.send(ctx, frame)
}
