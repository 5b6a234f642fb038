// Package service is what the author of a service writes against. A Service is a name and a Setup
// that registers what it answers, on which timers it acts and which sources it listens to. The same
// value runs inside the router (package system) and in a process of its own (package remote).
//
// Everything that an author writes but Source and the work given to Go runs in the service's own
// goroutine, one call at a time: a service needs no lock. Such a call must not block, or everybody
// who asks the service waits. A panic ends the state that Setup made and nothing else: the request
// that caused it is answered with 500, and Setup runs again.
package service
