package remote

import (
	"context"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
)

// home is what the service's instance sees of a Server.
type home struct{ *Server }

// receive takes what the router passes on, on the reader's goroutine.
func (r *Server) receive(e *envelope.Envelope) {
	if r.hasLeft(e) {
		return
	}
	if name, _ := envelope.Name(e.ServiceName); name != r.name {
		r.log().Debug("message for another service ignored", "service", name)
		return
	}
	r.instance.Ask(&runner.Ask{Envelope: e})
}

// Say queues what the service says.
func (r home) Say(e *envelope.Envelope) {
	frame := e.Append(nil)
	reply := e.ResourceID != nil
	if most := r.opts.Client.Limits.MessageBytes; len(frame) > most {
		r.log().Error("message is too long", "service", r.name, "reply", reply, "bytes", len(frame), "limit", most)
		if !reply {
			return
		}
		short := envelope.InternalError.Answer(e)
		short.ResourceID = e.ResourceID
		frame = short.Append(nil)
	}
	r.outbox.put(frame, reply)
}

// Room blocks while the outbox is more than half full.
func (r home) Room(ctx context.Context) error { return r.outbox.room(ctx) }

// write hands over what is said to the connection that is up, until ctx ends.
func (r *Server) write(ctx context.Context) {
	for {
		select {
		case <-r.outbox.ready:
			r.empty(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// empty hands over all that waits. What is said to a connection that is lost meanwhile is lost.
func (r *Server) empty(ctx context.Context) {
	for {
		frame, dropped := r.outbox.take()
		if dropped > 0 {
			r.log().Warn("messages dropped", "service", r.name, "count", dropped)
		}
		if frame == nil {
			return
		}
		err := r.client.Send(ctx, frame)
		r.outbox.handed()
		if err != nil {
			return
		}
	}
}
