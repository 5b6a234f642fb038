// Package runtime runs actors: it has their mailboxes and the goroutines that run those, the guard around each
// actor that it makes, typed references, and the leases by which a slow receiver slows its sender down. It knows none of the
// actors that it runs and none of their messages.
package runtime
