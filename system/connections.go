package system

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/system/internal/supervisor"
)

// connections stands in the tree for all connections, which are nobody's to restart: when its turn
// to stop has come it closes them and waits for them.
type connections struct {
	system  *System
	closing bool
}

type connectionsClosed struct{}

func (s *System) newConnections() actor.Actor { return &connections{system: s} }

// Receive handles one message.
func (c *connections) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *supervisor.Shutdown:
		if !c.closing {
			c.closing = true
			c.shutdown(ctx)
		}
		if m.Hurry > 0 {
			c.system.egress.AbortAll()
		}
	case *connectionsClosed:
		ctx.Stop(ctx.Self())
	case actor.SystemMessage, actor.AutoReceiveMessage:
	default:
		c.system.deps.Counters.Dead(actors.UnknownMessage)
		c.system.log.Error("unknown message", "actor", ctx.Self().GetId(), "message", fmt.Sprintf("%T", m))
	}
}

// stuckShare is the share of shutdown.timeout, as a divisor, that a peer has that takes nothing.
const stuckShare = 4

// shutdown closes all connections behind the last words of the services that have stopped before.
func (c *connections) shutdown(ctx actor.Context) {
	s, root, self := c.system, ctx.ActorSystem().Root, ctx.Self()
	s.router.Send(&actors.Fence{Done: func() {
		s.egress.CloseAll()
		s.egress.CutStuck(s.cfg.Shutdown.Timeout / stuckShare)
	}})
	go func() {
		s.server.Wait()
		s.egress.Wait()
		root.Send(self, &connectionsClosed{})
	}()
}
