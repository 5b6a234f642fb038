package system

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"strowger/system/internal/cluster"
	"strowger/system/internal/console"
	"strowger/system/internal/supervisor"
)

// moveSingletons gives the singletons of this node to others before it stops. It takes no longer than
// cluster.singleton_wait, and a part of the time that there is.
func (s *System) moveSingletons(ctx context.Context) {
	all := s.services.singletons()
	if len(all) == 0 {
		return
	}
	patience := s.cfg.Cluster.SingletonWait
	if by, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(by)/goodbyeShare)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(patience, time.Nanosecond))
	defer cancel()
	s.services.settleDown(ctx)
	if s.upgrades.handed.Load() {
		return // the process that has taken over has them
	}
	var moving sync.WaitGroup
	for _, o := range all {
		if o.home.leaving.Load() {
			continue // it moves already
		}
		select {
		case <-o.done:
			moving.Go(func() { o.move(ctx) })
		default: // it does not end; its node's end gives the service to others
		}
	}
	moving.Wait()
}

// move gives the service to another node that would run it. Requests that come meanwhile wait for that node. If there is
// none, this one keeps the service as long as it runs, unless an operator has stopped it.
func (o *singleton) move(ctx context.Context) {
	name, heir := o.home.instance.Name(), ""
	if o.runs {
		heir = o.links.Elsewhere(name, cluster.Stands)
	}
	switch {
	case !o.runs:
		o.links.Stand(name, false)
		return
	case heir == "" && !o.retired.Load():
		return
	case heir == "":
		o.links.Stand(name, false)
		o.yield()
		return
	}
	begun := o.system.deps.Clock.Now()
	o.system.log.Info("a singleton moves to another node", "service", name, "node", heir)
	o.hold(true)
	o.idle(ctx)
	o.stop(ctx)
	o.links.Stand(name, false)
	to := o.await(ctx, name)
	o.withdraw()
	o.hold(false)
	took := o.system.deps.Clock.Now().Sub(begun).Round(time.Millisecond).String()
	if to == "" {
		o.system.log.Warn("no node has taken a singleton in time", "service", name, "for", took, "setting", "cluster.singleton_wait")
		return
	}
	o.system.log.Info("a singleton has moved", "service", name, "node", to, "for", took)
}

// idle waits until the service has answered what it has, but leaves half of the time to the node that takes it. What is
// open after that gets 503.
func (o *singleton) idle(ctx context.Context) {
	patience := o.home.instance.Service().Supervision.StopTimeout
	if by, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(by)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = o.home.instance.Idle(ctx)
}

// await waits until another node serves the singleton, and returns its name, or nothing if ctx ends first.
func (o *singleton) await(ctx context.Context, name string) string {
	for {
		if to := o.links.Elsewhere(name, cluster.Serves); to != "" {
			return to
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			return ""
		}
	}
}

// possible returns what an operator may have done with the service on this node. One that he has stopped here runs
// elsewhere, and comes back here only if he starts it.
func (o *singleton) possible(now supervisor.Deed) supervisor.Deed {
	switch {
	case o == nil:
		return now
	case o.retired.Load():
		return supervisor.DoStart
	case o.standby.Load():
		return supervisor.DoStop
	}
	return now
}

// obey does what an operator has ordered, if the supervisor of the services must not. Stop gives the service to another
// node, and start lets this one run it when no other does.
func (o *singleton) obey(do supervisor.Deed) (done bool, err error) {
	if o == nil {
		return false, nil
	}
	name := o.home.instance.Name()
	if o.possible(supervisor.DoRestart|supervisor.DoStop|supervisor.DoReset)&do == 0 {
		if node := o.elsewhere(); node != "" {
			return false, fmt.Errorf("%s: %w: node %s has it", name, console.ErrNotNow, node)
		}
		return false, fmt.Errorf("%s: %w: this node does not have it", name, console.ErrNotNow)
	}
	switch do {
	case supervisor.DoStop:
		o.retired.Store(true)
		o.look()()
		return true, nil
	case supervisor.DoStart:
		o.retired.Store(false)
		o.links.Stand(name, true)
		return true, nil
	}
	return false, nil
}

// elsewhere returns the name of another node that has the service, empty if none has it.
func (o *singleton) elsewhere() string {
	name := o.home.instance.Name()
	for _, stance := range []cluster.Stance{cluster.Serves, cluster.Runs, cluster.Ails} {
		if node := o.links.Elsewhere(name, stance); node != "" {
			return node
		}
	}
	return ""
}
