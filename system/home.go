package system

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	peer     atomic.Pointer[actors.Peer] // as which it is offered
	own      *filter.Filter              // the policy in code; nil: none
	single   *singleton                  // nil: it runs as long as the router does
	offered  chan struct{}               // closed when requests find it
	window   runtime.Window
	turn     chan struct{} // held by the one source that waits for room

	refuses atomic.Bool  // nothing left when a message waited last
	kept    atomic.Int64 // bytes of unsaid

	mu     sync.Mutex // Protects following.
	muted  bool       // what the service says waits
	unsaid []func()

	after   []*home     // of the services on which this one depends
	added   bool        // by Add
	recipe  *recipe     // nil: it was made without a template
	leaving atomic.Bool // it is being removed
}

// ready returns what reports whether all services are up on which a service depends, nil if it depends on none.
func (h *home) ready(svc *service.Service) func() bool {
	if len(svc.After) == 0 {
		return nil
	}
	return func() bool {
		return !slices.ContainsFunc(h.after, func(other *home) bool { return !other.works() })
	}
}

// works reports whether the service answers, here or on the node that has it.
func (h *home) works() bool {
	condition := h.instance.State().Condition
	return condition == service.Up || condition == service.Standby
}

// envelopeCost is what a message counts in a window besides its payload, in bytes.
const envelopeCost = 256

func (s *System) newHome(svc *service.Service) (*home, error) {
	h := &home{system: s, offered: make(chan struct{}), turn: make(chan struct{}, 1)}
	h.window.SetBudget(int64(s.cfg.Limits.ServiceBytes))
	if err := s.isSingleton(svc, h); err != nil {
		return nil, err
	}
	instance, err := runner.New(svc, h, runner.Options{
		Standby:        h.single.standing(),
		OnState:        h.single.look(),
		Clock:          s.deps.Clock,
		Slept:          s.deps.Slept,
		Log:            s.log,
		RequestTimeout: s.cfg.Routing.RequestTimeout,
		Pool:           s.cfg.Services.Pool,
		Actor:          s.deps.Mailbox(),
		OnDead:         s.lost,
		Ready:          h.ready(svc),
	})
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", svc.Name, err)
	}
	h.instance = instance
	if svc.Policy != nil {
		if h.own, err = filter.Compile(*svc.Policy); err != nil {
			return nil, fmt.Errorf("service %q: policy: %w", svc.Name, err)
		}
	}
	h.newPeer()
	return h, nil
}

// newPeer makes the peer as which the service is offered next. One that was withdrawn is not offered again.
func (h *home) newPeer() *actors.Peer {
	svc := h.instance.Service()
	p := actors.NewLocal(svc.Name, h.own, h)
	p.Share(svc.Policy, svc.Everywhere)
	h.peer.Store(p)
	return p
}

// Say implements runner.Home.
func (h *home) Say(e *envelope.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.muted {
		h.kept.Add(cost(e))
		h.unsaid = append(h.unsaid, func() { h.speak(e) })
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
	for _, speak := range h.unsaid {
		speak()
	}
	h.unsaid = nil
	h.kept.Store(0)
}

// cost returns what a message counts in the window.
func cost(e *envelope.Envelope) int64 { return int64(len(e.Payload)) + envelopeCost }

// pacePatience is how long a message of a service waits for room. A service in whose handler it waits is not at fault, so
// this is much shorter than the time after which a call counts as one that hangs.
const pacePatience = time.Second

// Pace implements runner.Paced. When nothing of what was said has left while a message waited, further ones do not wait
// until something leaves. So a handler that says much is not held up for long by a router that is stuck.
func (h *home) Pace() bool {
	if !h.window.Full(h.kept.Load()) {
		if h.refuses.Load() {
			h.refuses.Store(false)
		}
		return true
	}
	if h.refuses.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), pacePatience)
	defer cancel()
	if h.Room(ctx) == nil && h.window.Full(h.kept.Load()) {
		<-ctx.Done() // it waits for unmute, or others have taken the room
	}
	full := h.window.Full(h.kept.Load())
	h.refuses.Store(full)
	return !full
}

func (h *home) speak(e *envelope.Envelope) {
	cost, peer := cost(e), h.peer.Load()
	if topic, _ := envelope.View(e.Topic); topic == service.StateTopic {
		h.system.deps.Announce(peer, e, &h.window, cost)
		return
	}
	h.system.deps.Speak(peer, e, &h.window, cost)
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
	if h.single.keeps(r) {
		return
	}
	a := &runner.Ask{
		Envelope: r.Envelope,
		User:     service.User{UUID: r.From.UserUUID, Name: r.From.UserName, Extensions: r.From.Extensions},
		Deadline: r.Deadline,
		Held:     r,
	}
	if r.Trace != nil {
		a.Within = r.Trace.Context()
	}
	if r.InCluster() {
		a.Part, a.Elsewhere = partOf(r.Part), otherNodes{r}
	}
	h.instance.Ask(a)
}

// Gone implements actors.Local.
func (h *home) Gone(subscriber string) { h.instance.Gone(subscriber) }
