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

	progress *progress // nil only in tests
}

// Inside reports whether a service in the process of some node has a name. Others that offer it are passive, and what they
// say is dropped.
func (r *Registry) Inside(name string) bool {
	route := r.Lookup(name)
	return route != nil && route.progress != nil && route.progress.inside.Load()
}

// progress is how far a service's topic has come. The service's actor counts what it sends to the topic, and the topic
// what it has passed on.
type progress struct {
	sent, passed atomic.Int64
	recorded     atomic.Int64 // offset of the last broadcast in the history; the topic sets it
	inside       atomic.Bool  // an instance is inside the process of some node; the service's actor sets it
	presence     atomic.Bool  // clients are told who watches; the topic sets it
}

// waiting returns how many broadcasts and replies wait in the topic. The service's actor gets 0 only if the topic has
// passed everything on.
func (p *progress) waiting() int64 {
	passed := p.passed.Load()
	return p.sent.Load() - passed
}

// Waiting returns, by name, how many broadcasts and replies wait in topics. Names for which nothing waits are missing.
func (r *Registry) Waiting() map[string]int64 {
	all := make(map[string]int64)
	r.routes.Range(func(name, route any) bool {
		if p := route.(*Route).progress; p != nil && p.waiting() > 0 {
			all[name.(string)] = p.waiting()
		}
		return true
	})
	return all
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
