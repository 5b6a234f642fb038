package service

import (
	"context"

	"strowger/system/supervisor"
)

// Instance is one Service in one Home, through all its restarts. Its methods may be called from any
// goroutine and never block but for Wait.
type Instance struct{}

// NewInstance checks the service and prepares it; it runs when a supervisor starts its Spec. The
// error names everything that is wrong.
func NewInstance(s *Service, home Home, o Options) (*Instance, error) { panic("not implemented") }

// Name is the service's.
func (i *Instance) Name() string { panic("not implemented") }

// Service is what runs.
func (i *Instance) Service() *Service { panic("not implemented") }

// Spec is the child for the home's supervisor; its Name is the service's. That supervisor must pass
// the child's events to Observe. One Instance is one child of one supervisor.
func (i *Instance) Spec() supervisor.Spec { panic("not implemented") }

// Observe takes the supervisor's events; those of other children are ignored.
func (i *Instance) Observe(e supervisor.Event) { panic("not implemented") }

// Ask hands over a request. Every request with an id is answered through the home, exactly once
// unless it is streamed: by the service, with 503 and {"retry_after":seconds} while it is down or
// has too many, with 500 if it crashed, with 504 at the deadline. None is if the subscriber has left.
func (i *Instance) Ask(a *Ask) { panic("not implemented") }

// Gone says that a subscriber has left: its requests end without an answer.
func (i *Instance) Gone(resourceID string) { panic("not implemented") }

// Reload has the service's OnReload called, after what waits already.
func (i *Instance) Reload() { panic("not implemented") }

// State is what the service does now.
func (i *Instance) State() State { panic("not implemented") }

// Counters are live.
func (i *Instance) Counters() *Counters { panic("not implemented") }

// Wait returns when the service has stopped and its sources and work have returned, or with ctx's
// error. It is for after the supervisor's shutdown.
func (i *Instance) Wait(ctx context.Context) error { panic("not implemented") }
