package runtime

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Spawner spawns temporary actors of a kind that there are many of. They share their props, which would be a
// third of what an actor takes. Its methods may be called from any goroutine.
type Spawner[M any] struct {
	kind    string
	runtime *Runtime
	mu      sync.Mutex // Protects following.
	next    actor.Actor
	box     *mailbox // of the actor spawned last
	props   *actor.Props
}

// NewSpawner returns a Spawner of actors that take messages of type M.
func NewSpawner[M any](r *Runtime, kind string) *Spawner[M] {
	s := &Spawner[M]{kind: kind, runtime: r}
	s.props = r.Props(kind, func() actor.Actor { return s.next }, actor.WithGuardian(r.Temporary),
		actor.WithMailbox(func() actor.Mailbox {
			// Nobody else is to run it before Spawn does.
			s.box = &mailbox{running: true}
			return s.box
		}))
	return s
}

// Spawn starts an actor. It handles actor.Started on the caller's goroutine, before Spawn returns.
func (s *Spawner[M]) Spawn(a actor.Actor) Ref[M] {
	r := s.make(a)
	r.mailbox.runOne()
	return r
}

func (s *Spawner[M]) make(a actor.Actor) Ref[M] {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The library calls the producer before it returns, and never again: the actor is not restarted.
	s.next = a
	defer func() { s.next, s.box = nil, nil }()
	pid := s.runtime.spawn(s.props, s.kind)
	return Ref[M]{pid, s.box}
}
