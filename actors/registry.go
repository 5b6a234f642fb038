package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Registry tells who answers to a name. The router actor is its only writer; anyone may look up,
// without a lock.
type Registry struct{ routes sync.Map } // string -> *Route

// Route is where messages for one name go.
type Route struct {
	Name    string
	Service *actor.PID
	Topic   *actor.PID
}

// Lookup returns the route of a name, nil if nobody offers or watches it.
func (r *Registry) Lookup(name string) *Route {
	if v, ok := r.routes.Load(name); ok {
		return v.(*Route)
	}
	return nil
}

func (r *Registry) publish(route *Route) { r.routes.Store(route.Name, route) }
func (r *Registry) withdraw(name string) { r.routes.Delete(name) }
