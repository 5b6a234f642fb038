package service

import (
	"context"
	"log/slog"
	"time"
)

// Context is what a service can do at any time. It is a context.Context: that of a Request ends
// with its answer, its deadline or the departure of who asked; any other ends with this life of the
// service. Its methods are for the service's own goroutine, but those of context.Context and
// Broadcast, which may be called from anywhere.
type Context struct{}

var _ context.Context = (*Context)(nil)

// Deadline is when the request must have been answered; other contexts have none.
func (c *Context) Deadline() (time.Time, bool) { panic("not implemented") }

// Done is closed when the context ends.
func (c *Context) Done() <-chan struct{} { panic("not implemented") }

// Err is nil, context.DeadlineExceeded or context.Canceled.
func (c *Context) Err() error { panic("not implemented") }

// Value is always nil.
func (c *Context) Value(any) any { return nil }

// Broadcast says payload to all subscribers of the service, as far as the policy lets each see it.
// It is encoded with encoding/json, a json.RawMessage is taken as it is; what cannot be encoded is
// dropped, logged and counted.
func (c *Context) Broadcast(topic string, payload any) { panic("not implemented") }

// Every has f called every d, for the first time after one d. The times lie on a grid that begins
// now and does not drift, whatever the wall clock does; a call that comes late skips the ones it
// has missed, so two calls never queue up. It panics when d is not positive.
func (c *Context) Every(d time.Duration, f func(c *Context)) *Timer { panic("not implemented") }

// After has f called once after d; at once, but not before the present call has returned, when d
// is not positive.
func (c *Context) After(d time.Duration, f func(c *Context)) *Timer { panic("not implemented") }

// Go runs work outside the service's goroutine, where it may block, on a pool of bounded size. What
// work returns, unless nil, is then run in the service's goroutine and is the place to answer and
// to change state; it is dropped and counted if the service has crashed meanwhile. The context is
// c. A panic in work is a crash of the service.
//
// It is false if too much work waits already. Then nothing runs, and a Request is answered with 503.
func (c *Context) Go(work func(ctx context.Context) func()) bool { panic("not implemented") }

// Log is the home's logger with the service's name. Never log a payload.
func (c *Context) Log() *slog.Logger { panic("not implemented") }

// Now is the home's time, which tests may set.
func (c *Context) Now() time.Time { panic("not implemented") }

// Timer is a call that is to come. Its methods are for the service's own goroutine.
type Timer struct{}

// Jitter delays each call of an Every by a random time below most, which must be less than the
// interval; the grid stays. It returns t.
func (t *Timer) Jitter(most time.Duration) *Timer { panic("not implemented") }

// Stop ends the timer; it does not run again.
func (t *Timer) Stop() { panic("not implemented") }
