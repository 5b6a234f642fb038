package system

import "strings"

// The names of the tree's supervised actors, from the root on. The supervisors start actors by these names, and the
// admin pages, metrics and the log show them as paths. tree.go says what each of them is.
const (
	rootPlace        = "root"
	routerPlace      = "router"
	connectionsPlace = "connections"
	servicesPlace    = "services" // of each service in the router, by its name
	janitorsPlace    = "janitors" // of each janitor, by its name
	listenerPlace    = "listener"
	adminPlace       = "admin"
	egressPlace      = "egress" // of each shard, by its number
)

// place returns the path of an actor: the names from below the root on, joined by slashes.
func place(names ...string) string {
	return rootPlace + "/" + strings.Join(names, "/")
}
