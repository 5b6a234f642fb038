package runner

import "sync/atomic"

// Counters are what an instance has done since it was made; restarts do not reset them. They may
// be read at any time.
type Counters struct {
	Requests   atomic.Uint64 // taken over from the home, refused ones included
	Replies    atomic.Uint64 // said by the service with a status below 400, streamed ones included
	Failures   atomic.Uint64 // said by the service with a status from 400 on
	Errors     atomic.Uint64 // answered with 500 because of an error that names no status
	Broadcasts atomic.Uint64
	NotFound   atomic.Uint64 // of a topic that nobody handles
	Refused    atomic.Uint64 // answered with 503: down, or too many
	Timeouts   atomic.Uint64 // answered with 504
	Crashed    atomic.Uint64 // answered with 500 because the service crashed
	Gone       atomic.Uint64 // their subscriber left before there was an answer
	Surplus    atomic.Uint64 // answers to requests that had been answered or given up
	Unencoded  atomic.Uint64 // payloads that encoding/json refused
	Mistakes   atomic.Uint64 // calls after Setup that make no sense, such as Every without a function
	Panics     atomic.Uint64 // in whatever an author wrote
	Works      atomic.Uint64 // calls to Go
	Busy       atomic.Uint64 // calls to Go that found no place
	Dropped    atomic.Uint64 // results and events of an earlier life
	NoRoom     atomic.Uint64 // broadcasts and parts of answers for which the home had no room
	Events     atomic.Uint64 // of sources
	Sources    atomic.Uint64 // failures of sources
	Ticks      atomic.Uint64 // calls of timers
}
