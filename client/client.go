package client

import (
	"context"
	"fmt"
	"time"
)

// Client is a connection to a router that renews itself. Its methods may be called
// by any number of goroutines. A nil Client and the zero Client, which Dial has not
// made, are closed.
type Client struct {
	link      *link
	calls     calls
	listeners listeners
}

// Dial connects to the router at url, such as wss://pbx.example.com/websockets/, waits
// to be asked for a token and returns a client that is authenticated. It tries once, or as
// Reconnect.FromStart says. The context bounds it, as Options.ConnectTimeout bounds each
// attempt, and has no effect after Dial has returned. Errors wrap
// ErrUnauthorized when the router refused the token, another *StatusError when it
// answered otherwise, *CloseError when it closed the connection, and ErrTimeout.
// Here and in the other methods a nil ctx stands for context.Background().
//
// The caller must call Close when done with the client.
func Dial(ctx context.Context, url string, token TokenSource, opts Options) (*Client, error) {
	c := new(Client)
	var err error
	if c.link, err = newLink(url, token, opts, c.receive); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c.link.returned = c.returned
	if err := c.link.start(background(ctx)); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// background returns ctx, or a context that never ends in place of nil.
func background(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// dialed returns false of a client that Dial has not made.
func (c *Client) dialed() bool { return c != nil && c.link != nil }

// State returns where the client stands with its router.
func (c *Client) State() State {
	if !c.dialed() {
		return StateClosed
	}
	state, _, _ := c.link.now()
	return state
}

// Close ends the client. Requests under way fail with ErrClosed, the router gets a
// close frame with code 1000, and Close waits for the goroutines of the client. It takes
// twice Options.CloseTimeout at most, and returns an error if a callback still runs then.
// A second call, or one after the client gave up, does no harm. No callback may call it.
func (c *Client) Close() error {
	if !c.dialed() {
		return nil
	}
	c.link.cancel(ErrClosed)
	timer := time.NewTimer(2 * c.link.opts.CloseTimeout)
	defer timer.Stop()
	select {
	case <-c.link.done:
	case <-timer.C:
		return fmt.Errorf("close: OnState or the token source still runs: %w", ErrTimeout)
	}
	for _, l := range c.listeners.running() {
		select {
		case <-l.done:
		case <-timer.C:
			return fmt.Errorf("close: the listener to %q still runs: %w", l.service, ErrTimeout)
		}
	}
	return nil
}

// Send sends a message to the router without a change. The message is an envelope in JSON, as
// docs/protocol.md describes it, and Send does not check it. Send is for programs that write the
// protocol themselves, such as one that answers what Options.OnMessage gets. While the client is
// offline Send waits until ctx ends, or returns ErrDisconnected at once if Options.FailFast is
// set. After Send has returned nil the message is lost if the connection is lost.
func (c *Client) Send(ctx context.Context, message []byte) error {
	if !c.dialed() {
		return fmt.Errorf("send: %w", ErrClosed)
	}
	ctx = background(ctx)
	if limit := c.link.opts.Limits.MessageBytes; len(message) > limit {
		return fmt.Errorf("send: message of %d bytes is above the limit of %d", len(message), limit)
	}
	if _, err := c.link.send(ctx, message); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// receive takes what the services send, on the reader's goroutine. An id tells a reply
// from a broadcast (protocol 5.4).
func (c *Client) receive(e *incoming) {
	if e.requestID != "" && c.calls.deliver(e) {
		return
	}
	if e.requestID == "" && !c.heed(e) {
		return
	}
	if tell := c.link.opts.OnMessage; tell != nil {
		tell(e.whole)
	}
	if e.requestID == "" {
		c.listeners.deliver(e)
		return
	}
	if c.link.opts.OnMessage == nil {
		c.link.opts.Logger.Debug("nobody waits for this reply", "service", e.service, "topic", e.topic, "request_id", e.requestID)
	}
}

// heed takes what a broadcast says of losses. It returns false if nobody is to get it.
func (c *Client) heed(e *incoming) bool {
	if e.gap != nil {
		c.gap(e.service, *e.gap)
		return false
	}
	if e.position.Epoch != "" && c.link.history.take(e.service, e.position) {
		c.gap(e.service, 0)
	}
	e.mark = c.link.history.mark(e.service)
	f := c.link.unused[e.service]
	return f == nil || f.passes(e.topic, e.payload)
}

// gap notes and tells a loss of one service.
func (c *Client) gap(service string, missed uint64) {
	c.link.history.lose(service, missed)
	c.tellGap(Gap{Service: service, Missed: missed})
}

// returned tells of the services that may have lost something while there was no connection.
func (c *Client) returned() {
	for _, service := range c.listeners.services() {
		if c.link.history.broken(service) {
			c.tellGap(Gap{Service: service})
		}
	}
}

func (c *Client) tellGap(g Gap) {
	if tell := c.link.opts.OnGap; tell != nil {
		tell(g)
	}
}
