// Package service is what the author of a service writes against. A Service is a name and a Setup
// function that registers what the service answers, on which timers it acts and which sources it
// listens to. The same value runs inside the router (package system), in a process of its own
// (package remote) and in a test (package servicetest).
//
// Everything that an author writes runs in the service's own goroutine, one call at a time, but for
// the functions given to Source and Go. So a service needs no lock. A call in the service's goroutine
// must not block: while it runs, everybody who asks the service waits. A panic in such a call costs the
// state that Setup made and the requests that the service has begun, which are answered with 500. Setup then
// runs again. The same holds for a panic in a Source and in work given to Go. A panic in a goroutine that the
// author starts with a go statement ends the process, as in any Go program.
//
// Setup, Context, Request and Timer are interfaces so that an author's unit tests can stand in for
// them. Later versions may add methods; a stand-in that embeds the interface keeps compiling.
package service
