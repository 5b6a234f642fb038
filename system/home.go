package system

import (
	"context"
	"fmt"
	"sync"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// home is where a service in this process lives: the router asks it as it asks a remote instance,
// and what it says goes the same way, but no frame is made in between.
type home struct {
	system   *System
	instance *runner.Instance
	peer     *actors.Peer
	offered  chan struct{} // closed when requests find it
	window   runtime.Window
	turn     chan struct{} // held by the one source that waits for room

	mu     sync.Mutex // Protects following.
	muted  bool       // what the service says waits
	unsaid []*envelope.Envelope
}

// envelopeCost is what a message counts in a window besides its payload, in bytes.
const envelopeCost = 256

func (s *System) newHome(svc *service.Service) (*home, error) {
	h := &home{system: s, offered: make(chan struct{}), turn: make(chan struct{}, 1)}
	h.window.SetBudget(int64(s.cfg.Limits.ServiceBytes))
	instance, err := runner.New(svc, h, runner.Options{
		Clock:          s.deps.Clock,
		Slept:          s.deps.Slept,
		Log:            s.log,
		RequestTimeout: s.cfg.Routing.RequestTimeout,
		Actor:          s.deps.Mailbox(),
		OnDead:         s.lost,
	})
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", svc.Name, err)
	}
	h.instance = instance
	var own *filter.Filter
	if svc.Policy != nil {
		if own, err = filter.Compile(*svc.Policy); err != nil {
			return nil, fmt.Errorf("service %q: policy: %w", svc.Name, err)
		}
	}
	h.peer = actors.NewLocal(svc.Name, own, h)
	return h, nil
}

// Say implements runner.Home.
func (h *home) Say(e *envelope.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.muted {
		h.unsaid = append(h.unsaid, e)
		return
	}
	h.speak(e)
}

// mute keeps what the service says until unmute.
func (h *home) mute() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
}

func (h *home) unmute() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = false
	for _, e := range h.unsaid {
		h.speak(e)
	}
	h.unsaid = nil
}

func (h *home) speak(e *envelope.Envelope) {
	cost := int64(len(e.Payload)) + envelopeCost
	if topic, _ := envelope.View(e.Topic); topic == service.StateTopic {
		h.system.deps.Announce(h.peer, e, &h.window, cost)
		return
	}
	h.system.deps.Speak(h.peer, e, &h.window, cost)
}

// Room implements runner.Home.
func (h *home) Room(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-h.turn }()
	return h.window.Room(ctx)
}

// Ask implements actors.Local.
func (h *home) Ask(r *actors.Request) {
	h.instance.Ask(&runner.Ask{
		Envelope: r.Envelope,
		User:     service.User{UUID: r.From.UserUUID, Name: r.From.UserName, Extensions: r.From.Extensions},
		Deadline: r.Deadline,
		Held:     r,
	})
}

// Gone implements actors.Local.
func (h *home) Gone(subscriber string) { h.instance.Gone(subscriber) }
