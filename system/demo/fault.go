package demo

// Fault is one way to break a service.
type Fault string

// The faults. All but Hang and Leak end the state of the service; none of them ends a connection.
const (
	RequestPanic Fault = "request" // the next request crashes its handler
	EventPanic   Fault = "event"   // the handler of an event source
	TimerPanic   Fault = "timer"
	SourcePanic  Fault = "source" // the goroutine of an event source
	WorkPanic    Fault = "work"   // work in the pool
	StartPanic   Fault = "start"  // a crash after which the first attempt to start again fails too
	Storm        Fault = "storm"  // so many failed starts that the breaker opens
	Hang         Fault = "hang"   // a handler that does not return
	Leak         Fault = "leak"   // work in the pool that does not end, and its memory
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{RequestPanic, EventPanic, TimerPanic, SourcePanic, WorkPanic, StartPanic, Storm, Hang, Leak}
}

// stormStarts is how many starts fail in a storm: as many as the supervision of the services allows.
const stormStarts = 3
