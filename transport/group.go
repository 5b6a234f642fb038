package transport

import (
	"errors"
	"fmt"
	"reflect"

	"strowger/actors"
)

// group is a set of outlets. Its sockets are spread over the shards. The group's actor calls other outlets itself.
type group struct {
	shards  []*shard
	in      map[*socket]struct{} // who was added and not removed; belongs to the group's actor
	counts  []int                // of them, a shard; the actor's too
	members [][]*socket          // each list belongs to its shard
	foreign map[actors.Outlet]struct{}
}

// Add implements actors.Group.
func (g *group) Add(o actors.Outlet) error {
	member, ours := o.(*socket)
	switch {
	case !ours:
		return g.addForeign(o)
	case g.has(member):
		return nil
	case g.shards[member.shard.index] != member.shard:
		return errors.New("the socket belongs to another egress")
	}
	g.in[member] = struct{}{}
	g.counts[member.shard.index]++
	member.shard.post(&enter{g, member})
	return nil
}

func (g *group) addForeign(o actors.Outlet) error {
	if o == nil {
		return errors.New("there is no outlet")
	}
	if !reflect.TypeOf(o).Comparable() {
		return fmt.Errorf("an outlet of type %T cannot be told from others", o)
	}
	if g.foreign == nil {
		g.foreign = make(map[actors.Outlet]struct{})
	}
	g.foreign[o] = struct{}{}
	return nil
}

// Remove implements actors.Group.
func (g *group) Remove(o actors.Outlet) {
	member, ours := o.(*socket)
	if !ours {
		if o != nil && reflect.TypeOf(o).Comparable() {
			delete(g.foreign, o)
		}
		return
	}
	if !g.has(member) {
		return
	}
	delete(g.in, member)
	g.counts[member.shard.index]--
	member.shard.post(&exit{g, member})
}

// has keeps the counts true when a socket is added or removed twice.
func (g *group) has(s *socket) bool {
	_, in := g.in[s]
	return in
}

// Send implements actors.Group.
func (g *group) Send(m actors.Message, except actors.Outlet) {
	sender, _ := except.(*socket)
	for i, sh := range g.shards {
		if g.counts[i] == 0 {
			continue
		}
		m.Lease.Retain()
		sh.inbox.Post(order{group: g, except: sender, message: m})
	}
	for o := range g.foreign {
		if o != except {
			o.Send(m)
		}
	}
}
