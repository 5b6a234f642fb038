package actors

// asked is the names of the services that one connection has asked. It holds names rather than actors,
// so that a connection keeps nothing alive of a service that has ended. A service that comes back under
// its name is a new actor. It ignores the departure of an asker it does not know.
type asked struct {
	names map[string]struct{}
	limit int // number of names at which those that have ended are dropped
}

// fewestAsked is the number of names that a connection may keep without looking which have ended.
const fewestAsked = 16

// add notes a name. From time to time it drops the names that nobody offers any more, so that
// the set does not grow with services that come and go.
func (a *asked) add(name string, in *Registry) {
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

// tidy drops the names that have ended. It makes a new map, because a map does not shrink.
func (a *asked) tidy(in *Registry) {
	alive := make(map[string]struct{})
	for name := range a.names {
		if in.Lookup(name) != nil {
			alive[name] = struct{}{}
		}
	}
	a.names, a.limit = alive, max(fewestAsked, 2*len(alive))
}
