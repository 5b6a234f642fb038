package eventsocket

import (
	"context"
	"fmt"
	"log/slog"
)

// Alone is Do on a connection of its own. The switch runs the commands of a connection one after the other, so this is
// for those that take long, such as a call that rings. When ctx ends, Alone closes the connection; the switch still
// ends what it has begun. The error is ErrNotConnected if the command was not sent, also when ctx ended.
func (c *Client) Alone(ctx context.Context, command Command) (Reply, error) {
	if err := command.Err(); err != nil {
		return Reply{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan struct{})
	opts := c.opts
	opts.Jobs, opts.Log = false, slog.New(slog.DiscardHandler)
	opts.Changed = func(bool, error) { close(ready) } // connect calls it once, when it is logged in
	one := &Client{opts: opts}
	var failure error
	go func() {
		defer close(ended)
		_, failure = one.connect(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	select {
	case <-ready:
		p := &pending{answer: make(chan outcome, 1)}
		reply, err := one.do(ctx, command, p)
		if err != nil && p.sent.IsZero() && ctx.Err() != nil {
			return Reply{}, fmt.Errorf("%w: %w", ErrNotConnected, err)
		}
		return reply, err
	case <-ended:
		if ctx.Err() != nil {
			return Reply{}, fmt.Errorf("%w: %w", ErrNotConnected, ctx.Err()) // the command was not sent
		}
		c.opts.Log.Debug("a connection for one command failed", "err", failure)
		return Reply{}, ErrNotConnected
	}
}
