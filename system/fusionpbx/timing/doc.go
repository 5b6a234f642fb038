// Package timing has the waits of the services: a pause before the switch is asked again, a pause before pages are told what
// they were refused, and a queue of calls, each of which is due at a time of its own.
package timing
