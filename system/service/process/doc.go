// Package process runs a service in a child process of the program that has it. Service makes the service that is given to
// a home, such as the router, in place of the one that an author has written:
//
//	router, err := system.New(options, process.Service(counter(), process.Options{}))
//
// The home sees a service like any other: its supervisor restarts it, its requests, broadcasts and states are the same. What
// the author has written runs in the child. So it may end in any way, also in those that Go cannot recover from, and nothing
// else is disturbed: the home treats the end of the child as a panic of the service, and starts another one. A child that
// hangs is killed.
//
// The child is this program, started again with the same arguments. It runs up to the call of Service, or of Main, and then
// is the service until it ends: neither call returns there. A program that must not do again what comes before Service,
// such as listening, calls Main first.
package process
