package runtime

import "github.com/asynkron/protoactor-go/actor"

// stopOnFailure ends an actor that panicked. The guard has logged the panic.
type stopOnFailure struct{}

func (*stopOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	supervisor.StopChildren(child)
}

// restartOnFailure restarts an actor in place; its mailbox is kept, the message that crashed it
// is lost.
type restartOnFailure struct{}

func (*restartOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	supervisor.RestartChildren(child)
}
