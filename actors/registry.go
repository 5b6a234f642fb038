package actors

import (
	"sync"
	"sync/atomic"

	"strowger/actors/runtime"
)

// Registry tells who answers to a name. The router actor is its only writer; anyone may look up,
// without a lock.
type Registry struct {
	routes  sync.Map     // string -> *Route
	offered atomic.Int64 // names that somebody offers
}

// Offered returns how many names services offer.
func (r *Registry) Offered() int { return int(r.offered.Load()) }

// Route is where messages for one name go.
type Route struct {
	Name    string
	Service runtime.Ref[toService]
	Topic   runtime.Ref[toTopic]
	over    atomic.Bool // the registry does not have it any more
}

// Lookup returns the route of a name, nil if nobody offers or watches it.
func (r *Registry) Lookup(name string) *Route {
	if v, ok := r.routes.Load(name); ok {
		return v.(*Route)
	}
	return nil
}

// Again returns what Lookup would. Last is what the caller found for its last message, or nil. Again returns it without a
// look-up if it still is the route of name.
func (r *Registry) Again(last *Route, name string) *Route {
	if last != nil && last.Name == name && !last.over.Load() {
		return last
	}
	return r.Lookup(name)
}

// has reports whether somebody offers or watches a name.
func (r *Registry) has(name string) bool { return r.Lookup(name) != nil }

func (r *Registry) publish(route *Route) { r.routes.Store(route.Name, route) }

func (r *Registry) withdraw(route *Route) {
	r.routes.Delete(route.Name)
	route.over.Store(true)
}
