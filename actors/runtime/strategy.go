package runtime

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// stopOnFailure ends an actor that panicked.
type stopOnFailure struct{ log *slog.Logger }

func (s *stopOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	s.log.Warn("actor stopped after a panic", "actor", child.GetId())
	supervisor.StopChildren(child)
}

// restartOnFailure restarts an actor in place; its mailbox is kept, the message that crashed it
// is lost.
type restartOnFailure struct{ log *slog.Logger }

func (s *restartOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	s.log.Warn("actor restarted after a panic", "actor", child.GetId())
	supervisor.RestartChildren(child)
}
