package demo

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// The request {"fault"} of this topic breaks the service that gets it. The policies let only those
// ask who have the permission.
const chaosTopic = "chaos"

// ChaosPermission is what users need to break something.
const ChaosPermission = "demo_chaos"

const (
	longestHang  = 30 * time.Second // if nobody abandons the service before
	longestStorm = 3 * time.Second
	leakBytes    = 8 << 20
	mostLeaks    = 3 // at once; the pool has more places
)

// victim is a service that is broken, through all its lives. A nil one is left in peace.
type victim struct {
	chaos   *Chaos
	service string
	orders  chan Fault // of the schedule

	armed  atomic.Bool  // the next request panics
	starts atomic.Int32 // that are still to fail
	until  atomic.Int64 // Unix nanoseconds, as of when starts are forgiven
	leaks  atomic.Int32 // under way
}

// join has faults arrive, and is the first that Setup calls.
func (v *victim) join(s service.Setup) {
	if v == nil {
		return
	}
	if v.starts.Load() > 0 && v.now() < v.until.Load() {
		v.starts.Add(-1)
		panic("chaos: start")
	}
	// What was meant for a service that was down would break it as soon as it is up.
	select {
	case <-v.orders:
	default:
	}
	s.Source("chaos", v.obey, func(c service.Context, event any) { v.strike(c, event.(Fault)) })
	service.Handle(s, chaosTopic, v.order)
}

// obey is the source of the faults by schedule.
func (v *victim) obey(ctx context.Context, emit service.Emit) error {
	for {
		select {
		case fault := <-v.orders:
			if fault == SourcePanic {
				v.log(fault)
				panic("chaos: source")
			}
			if err := emit(fault); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// chaosOrder is the payload of a request for a fault and of its answer.
type chaosOrder struct {
	Fault Fault `json:"fault"`
}

// order breaks the service as who asks wants it. All faults but that of a request are answered
// first.
func (v *victim) order(r service.Request, in chaosOrder) error {
	switch {
	case !slices.Contains(Faults(), in.Fault):
		return service.Errorf(envelope.BadRequest.Code, "fault is none of %v", Faults())
	case in.Fault == RequestPanic:
		v.log(in.Fault)
		panic("chaos: request")
	case in.Fault == SourcePanic:
		r.Reply(in)
		select {
		case v.orders <- in.Fault:
		default: // one is on its way
		}
	default:
		r.Reply(in)
		// In a context that has not ended with the answer.
		r.After(0, func(c service.Context) { v.strike(c, in.Fault) })
	}
	return nil
}

// guard returns a handler that crashes when a fault says so.
func (v *victim) guard(f func(r service.Request) error) func(r service.Request) error {
	if v == nil {
		return f
	}
	return func(r service.Request) error {
		if v.armed.CompareAndSwap(true, false) {
			panic("chaos: request")
		}
		return f(r)
	}
}

// strike runs in the service's goroutine.
func (v *victim) strike(c service.Context, fault Fault) {
	v.log(fault)
	switch fault {
	case RequestPanic:
		v.armed.Store(true)
	case TimerPanic:
		c.After(0, func(service.Context) { panic("chaos: timer") })
	case WorkPanic:
		c.Go(func(context.Context) func() { panic("chaos: work") })
	case StartPanic:
		v.failStarts(1)
	case Storm:
		v.failStarts(stormStarts)
	case Hang:
		// A hang that nobody notices ends too.
		_ = wait(c, v.chaos.o.Clock, longestHang)
	case Leak:
		v.leak(c)
	default:
		panic("chaos: event")
	}
}

// failStarts crashes, and has the next n starts fail unless they come much later, as a probe of the
// breaker does.
func (v *victim) failStarts(n int32) {
	v.until.Store(v.now() + int64(longestStorm))
	v.starts.Store(n)
	panic("chaos: before a start")
}

func (v *victim) now() int64 { return v.chaos.o.Clock.Now().UnixNano() }

// leak has work keep memory and a place in the pool until this life of the service ends, and ends
// it when there is enough of that.
func (v *victim) leak(c service.Context) {
	if v.leaks.Load() == mostLeaks {
		panic("chaos: too many leaks")
	}
	v.leaks.Add(1)
	started := c.Go(func(ctx context.Context) func() {
		defer v.leaks.Add(-1)
		held := make([]byte, leakBytes)
		for i := 0; i < len(held); i += 4096 {
			held[i] = 1 // a page that was never written to takes no memory
		}
		<-ctx.Done()
		runtime.KeepAlive(held)
		return nil
	})
	if !started {
		v.leaks.Add(-1)
	}
}

func (v *victim) log(fault Fault) {
	v.chaos.o.Log.Warn("chaos", "service", v.service, "fault", string(fault))
}
