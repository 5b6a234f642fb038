package system

import (
	"context"
	"fmt"
	"sync"
	"time"

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

// drainShare is the share of the time for stopping, as a divisor, in which all connections are told to go. The rest
// is for them to take what waits and to say goodbye.
const drainShare = 2

// drainTime returns how long closing the connections may take.
func (s *System) drainTime() time.Duration {
	left := s.cfg.Shutdown.Timeout
	if by := s.stopBy.Load(); by != nil {
		left = min(left, max(time.Until(*by), 0))
	}
	return left / drainShare
}

// shutdown closes all connections and waits until they are.
func (c *connections) shutdown(ctx actor.Context) {
	s, root, self := c.system, ctx.ActorSystem().Root, ctx.Self()
	go func() {
		s.dismiss()
		s.server.Wait()
		s.egress.Wait()
		root.Send(self, &connectionsClosed{})
	}()
}

// dismiss begins to close all connections, behind the last words of the services that have stopped before. The other
// nodes of the cluster get them before they hear that this one leaves. A router, a name or a topic that hangs, or a cluster
// that cannot be left, holds it up for a part of the time alone. Calls after the first one do nothing.
func (s *System) dismiss() {
	s.dismissed.Do(func() {
		drain := sync.OnceFunc(func() {
			s.egress.Drain(s.running.Load().Shutdown.Pace, s.drainTime())
			s.egress.CutStuck(s.cfg.Shutdown.Timeout / stuckShare)
		})
		said := drain
		if patience := s.drainTime() / 2; patience > 0 {
			stop := s.deps.Clock.AfterFunc(patience, drain)
			said = func() {
				stop() // it would keep the system in memory
				drain()
			}
		}
		go func() {
			s.part()
			s.way.Send(&actors.Fence{Done: said})
		}()
	})
}

// part leaves the cluster once what services have said is on its way.
func (s *System) part() {
	if s.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), max(s.drainTime(), hurry))
	defer cancel()
	said := make(chan struct{})
	s.way.Send(&actors.Fence{Done: func() { close(said) }})
	select {
	case <-said:
	case <-ctx.Done():
	}
	s.cluster.leave(ctx)
}
