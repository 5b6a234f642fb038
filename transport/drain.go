package transport

import (
	"cmp"
	"slices"
	"time"

	"strowger/actors"
	"strowger/actors/clock"
)

// drainTick is the time between two batches of a drain.
const drainTick = 50 * time.Millisecond

// Drain closes every connection as CloseAll does, but not more than about pace of them in a second, so that
// they do not all come back at once: clients before services, the newest first, and whoever still comes at once. If
// that took longer than within, it closes more in a second. It closes all at once if pace or within is 0. Drain
// does not wait. AbortAll and Stop may come before it is done, and after Stop it does nothing.
func (e *Egress) Drain(pace int, within time.Duration) {
	if pace <= 0 || within <= 0 {
		e.CloseAll()
		return
	}
	e.ending.Lock()
	defer e.ending.Unlock()
	if e.ended {
		return
	}
	e.drains.Go(func() {
		e.drain(e.deps.Clock, e.census(), time.Second/time.Duration(pace), within)
		e.CloseAll() // whoever came meanwhile
	})
}

// leaver is a connection that a drain closes.
type leaver struct {
	service bool
	number  uint64
	closed  func(why actors.End)
}

// census returns who is connected, in the order in which they are to be closed. From then on the shards close whoever
// comes. Requests by HTTP are not among them, because they end by themselves.
func (e *Egress) census() []leaver {
	parts := make(chan []*socket, len(e.shards))
	for _, sh := range e.shards {
		sh.post(&census{parts})
	}
	var all []leaver
	for range e.shards {
		select {
		case part := <-parts:
			for _, s := range part {
				all = append(all, leaver{s.mayDoNow() == actors.Service, s.number, s.Close})
			}
		case <-e.stop:
			return nil
		}
	}
	e.exchanges.each(func(x *exchange) {
		if role, streams := x.session.Streams(); streams {
			all = append(all, leaver{role == actors.Service, x.number, x.session.Close})
		}
	})
	late := func(l leaver) int {
		if l.service {
			return 1 // clients still ask it
		}
		return 0
	}
	slices.SortFunc(all, func(a, b leaver) int {
		return cmp.Or(cmp.Compare(late(a), late(b)), cmp.Compare(b.number, a.number))
	})
	return all
}

// drain closes connections in their order, one in each pause, which is shorter if all would take longer than within.
func (e *Egress) drain(c clock.Clock, all []leaver, pause, within time.Duration) {
	if len(all) == 0 {
		return
	}
	pause = max(min(pause, within/time.Duration(len(all))), 1)
	begin, due := c.Now(), make(chan struct{}, 1)
	for done := 0; ; {
		passed := c.Now().Sub(begin) + drainTick
		next := int(min(int64(len(all)), int64((passed+pause-1)/pause)))
		for ; done < next; done++ {
			all[done].closed(actors.GoingAway)
		}
		if done == len(all) {
			return
		}
		stop := c.AfterFunc(drainTick, func() { due <- struct{}{} })
		select {
		case <-due:
		case <-e.stop:
			stop()
			return
		}
	}
}

// census tells who is connected, and has whoever still comes closed.
func (sh *shard) census(to chan<- []*socket) {
	sh.closed = true
	here := make([]*socket, 0, len(sh.sockets))
	for s := range sh.sockets {
		here = append(here, s)
	}
	to <- here
}
