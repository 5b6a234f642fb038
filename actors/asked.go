package actors

import (
	"sync"
	"sync/atomic"

	"strowger/actors/runtime"
)

// asked is the names of the services that one connection has asked. It holds names rather than actors,
// so that a connection keeps nothing alive of a service that has ended. A service that comes back under
// its name is a new actor. It ignores the departure of an asker it does not know.
type asked struct {
	peer  *Peer
	names runtime.Set[string]
	// suspended has the peer with the keeper of each service, by name, while the client is waited for; nil: it is connected.
	suspended atomic.Pointer[map[string]*Peer]
}

// add notes a name. The names that nobody offers any more are dropped from time to time.
func (a *asked) add(name string, in *Registry) { a.names.Add(name, in.has) }

// askers is what the connections that are there have asked, by the id of their subscriber. So a service that
// comes back knows whom it may write to. Its zero value is empty, and any goroutine may use it.
type askers struct{ byID sync.Map } // string -> *asked

// add returns what a peer has asked, which is nothing so far.
func (d *askers) add(peer *Peer) *asked {
	a := &asked{peer: peer}
	d.byID.Store(peer.ID, a)
	return a
}

func (d *askers) remove(a *asked) { d.byID.Delete(a.peer.ID) }

// has reports whether a peer of that id is connected, or visits, and has asked something.
func (d *askers) has(id string) bool {
	_, has := d.byID.Load(id)
	return has
}

// find returns the peer of that id if it is connected and has asked a service of that name; else nil.
func (d *askers) find(id, name string) *Peer {
	v, ok := d.byID.Load(id)
	if !ok {
		return nil
	}
	a := v.(*asked)
	if !a.names.Has(name) {
		return nil
	}
	if suspended := a.suspended.Load(); suspended != nil {
		if p := (*suspended)[name]; p != nil {
			return p
		}
	}
	return a.peer
}

// Asker returns the peer of that id if it is connected and has asked a service of that name; else nil. Any goroutine
// may call it.
func (d *Deps) Asker(id, service string) *Peer { return d.askers.find(id, service) }

// left tells the services that an asker has asked that it has left.
func (d *Deps) left(a *asked) {
	// Whoever finds it before this is told by what follows.
	d.askers.remove(a)
	for _, name := range a.names.All() {
		if route := d.Registry.Lookup(name); route != nil {
			route.Service.Send(&askerGone{id: a.peer.ID})
		}
	}
	if d.Cluster != nil {
		d.owed.pay(a.peer.ID)
	}
}
