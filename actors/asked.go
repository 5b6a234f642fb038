package actors

import "sync"

// asked is the names of the services that one connection has asked. It holds names rather than actors,
// so that a connection keeps nothing alive of a service that has ended. A service that comes back under
// its name is a new actor. It ignores the departure of an asker it does not know.
type asked struct {
	peer *Peer

	mu    sync.Mutex // Protects following.
	names map[string]struct{}
	limit int // number of names at which those that have ended are dropped
}

// fewestAsked is the number of names that a connection may keep without looking which have ended.
const fewestAsked = 16

// add notes a name. From time to time it drops the names that nobody offers any more, so that
// the set does not grow with services that come and go.
func (a *asked) add(name string, in *Registry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, again := a.names[name]; again {
		return
	}
	if a.names == nil {
		a.names, a.limit = make(map[string]struct{}), fewestAsked
	}
	if len(a.names) >= a.limit {
		a.tidy(in)
	}
	a.names[name] = struct{}{}
}

// tidy drops the names that have ended. It makes a new map, because a map does not shrink. The caller holds mu.
func (a *asked) tidy(in *Registry) {
	alive := make(map[string]struct{})
	for name := range a.names {
		if in.Lookup(name) != nil {
			alive[name] = struct{}{}
		}
	}
	a.names, a.limit = alive, max(fewestAsked, 2*len(alive))
}

// has reports whether the connection has asked a service of that name.
func (a *asked) has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, has := a.names[name]
	return has
}

// all returns the names.
func (a *asked) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := make([]string, 0, len(a.names))
	for name := range a.names {
		names = append(names, name)
	}
	return names
}

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

// find returns the peer of that id if it is connected and has asked a service of that name; else nil.
func (d *askers) find(id, name string) *Peer {
	v, ok := d.byID.Load(id)
	if !ok {
		return nil
	}
	if a := v.(*asked); a.has(name) {
		return a.peer
	}
	return nil
}
