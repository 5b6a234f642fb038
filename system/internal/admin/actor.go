package admin

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"
)

// ended says that a server accepts no more although nobody stopped it.
type ended struct{ server *Server }

// holder is an actor that listens as long as it runs.
//
// On restart: the listener is closed and opened anew.
type holder struct {
	o      Options
	server *Server
}

// New returns what makes an actor that listens as long as it runs. It panics when it cannot listen
// or cannot go on, so that its supervisor tries again; give it a breaker, for the router has to go on
// without it.
func New(o Options) actor.Producer {
	if o.Log != nil {
		o.refused = newRefused(o.Log)
	}
	return func() actor.Actor { return &holder{o: o} }
}

// Receive starts and stops the server.
func (h *holder) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.listen(ctx)
	case *actor.Restarting, *actor.Stopping:
		h.stop()
	case *ended:
		if m.server == h.server {
			panic(m.server.Err())
		}
	}
}

func (h *holder) listen(ctx actor.Context) {
	server, err := Listen(h.o)
	if err != nil {
		panic(err)
	}
	h.server = server
	h.o.Log.Info("admin listening", "addr", server.Addr().String())
	root, self := ctx.ActorSystem().Root, ctx.Self()
	go func() { // ends with the server
		<-server.Done()
		if server.Err() != nil {
			root.Send(self, &ended{server})
		}
	}()
}

// stop cuts off what is being answered: it can be asked again.
func (h *holder) stop() {
	if h.server == nil {
		return
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.server.Stop(over) // says only that it was cut off
	h.server = nil
}
