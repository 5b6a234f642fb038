// Package timing has the waits of the services: a pause before the switch is asked again, and a queue of calls,
// each of which is due at a time of its own.
package timing
