package service

import (
	"context"
	"log/slog"
	"time"
)

// Context is what a service can do at any time. It is a context.Context: that of a Request ends with
// its answer, its deadline or the departure of the subscriber; any other ends with this life of the
// service. Every and After are for the service's own goroutine; the other methods may be called from
// any goroutine.
type Context interface {
	context.Context
	// Broadcast sends payload to all subscribers of the service, as far as the policy lets each see
	// it. The payload is encoded with encoding/json; a json.RawMessage is taken as it is. A payload
	// that cannot be encoded is dropped, logged and counted. While too much of what the service has said is under way,
	// Broadcast waits, so that a service cannot say more than the router delivers. After a second without room the
	// message is dropped, logged and counted.
	Broadcast(topic string, payload any)
	// BroadcastWith is Broadcast with a status, for pages that look at one. With a status that is not between 200 and
	// 599 nothing is sent; that is logged and counted.
	BroadcastWith(topic string, status int, payload any)
	// BroadcastHere is Broadcast to the subscribers on this node of a cluster alone. It is for what each node finds out by
	// itself, as from a database that all share: subscribers would get it once from each node otherwise.
	BroadcastHere(topic string, payload any)
	// Will has the other nodes of a cluster broadcast payload to their subscribers when they lose this node. It is for
	// what subscribers were told and nobody could take back then, so the will is made before they are told. A will replaces the one before with the same key, and
	// a nil payload takes it back. It is not kept for nodes that come later: see Setup.OnJoin. With one node Will does
	// nothing.
	Will(key, topic string, payload any)
	// Every calls f every d, for the first time after one d. The times lie on a grid that begins now
	// and does not drift, whatever the wall clock does. A call that comes late skips those that it has
	// missed, so two calls never queue up. A nil f and a d that is not positive are mistakes, as Setup
	// has them; the timer then never calls.
	Every(d time.Duration, f func(c Context)) Timer
	// After calls f once after d. When d is not positive it calls f at once, but not before the
	// present call has returned. A nil f is a mistake; the timer then never calls.
	After(d time.Duration, f func(c Context)) Timer
	// Go runs work outside the service's goroutine, on a pool of bounded size, where it may block. The
	// function that work returns, unless nil, then runs in the service's goroutine; it is the place to
	// answer and to change state. It is dropped and counted if the service has crashed meanwhile. The
	// context that work gets is this one. A panic in work is a crash of the service.
	//
	// Go returns false when too much work waits already. Then nothing runs, and a Request is answered
	// with 503. It returns false for a nil work too: that is a mistake, and a Request is answered with
	// 500.
	Go(work func(ctx context.Context) func()) bool
	// Finish ends the service, after what waits for it already. What follows is up to Supervision.Restart: a transient or
	// temporary one stays down, and requests to it are answered with 503. It may be called from any goroutine.
	Finish()
	// Log returns the home's logger with the service's name. Never log a payload.
	Log() *slog.Logger
	// Now returns the home's time, which tests may set.
	Now() time.Time
}

// Timer is a call that is to come. Its methods are for the service's own goroutine.
type Timer interface {
	// Jitter delays each call of an Every by a random time below most, which must be less than the
	// interval; the grid stays. Any other most, and any but 0 for a timer of After, is a mistake, as Setup
	// has them. It returns the timer.
	Jitter(most time.Duration) Timer
	// Stop ends the timer; it does not run again.
	Stop()
}
