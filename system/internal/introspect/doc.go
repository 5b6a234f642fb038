// Package introspect is what the running system says about itself, as plain data: the tree of
// actors, what keeps it from being ready, its counters, and the messages nobody could take. It only
// watches: nothing in it waits for an actor, and no actor waits for it.
package introspect
