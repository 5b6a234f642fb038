package console

import (
	"context"
	"fmt"
	"log/slog"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// home is where the console's service lives. It implements runner.Home and actors.Local.
type home struct {
	world    *world
	instance *runner.Instance
	peer     *actors.Peer
	window   runtime.Window
}

// budget is what the service may have under way, in bytes, before a source of its would wait. It has no source.
const budget = 64 << 20

func newHome(w *world, o *Options, log *slog.Logger, svc *service.Service) (*home, error) {
	h := &home{world: w}
	h.window.SetBudget(budget)
	var err error
	h.instance, err = runner.New(svc, h, runner.Options{Clock: o.Clock, Slept: w.deps.Slept, Log: log, RequestTimeout: requestTimeout, Actor: w.deps.Mailbox()})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	own, err := filter.Compile(*svc.Policy)
	if err != nil {
		return nil, fmt.Errorf("console: policy: %w", err)
	}
	h.peer = actors.NewLocal(svc.Name, own, h)
	return h, nil
}

// envelopeCost is what a message counts besides its payload, in bytes.
const envelopeCost = 256

// Say implements runner.Home.
func (h *home) Say(e *envelope.Envelope) {
	h.world.deps.Speak(h.peer, e, &h.window, int64(len(e.Payload))+envelopeCost)
}

// Room implements runner.Home.
func (h *home) Room(ctx context.Context) error {
	return h.window.Room(ctx) //nolint:wrapcheck // passes on
}

// Ask implements actors.Local.
func (h *home) Ask(r *actors.Request) {
	h.instance.Ask(&runner.Ask{Envelope: r.Envelope, User: service.User{Name: r.From.UserName}, Deadline: r.Deadline, Held: r})
}

// Gone implements actors.Local.
func (h *home) Gone(subscriber string) { h.instance.Gone(subscriber) }
