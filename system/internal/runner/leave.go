package runner

import "context"

// Leave says that the router gives the requests that this instance does not answer to another one.
// From then on a stop ends the requests that are open without an answer, in place of a 503. The home
// calls it before it stops the service.
func (i *Instance) Leave() { i.leaving.Store(true) }

// Idle returns when no request is open, or with the cause of ctx when that ends first. A nil ctx never
// ends.
func (i *Instance) Idle(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		i.mu.Lock()
		if i.table.len() == 0 {
			i.mu.Unlock()
			return nil
		}
		if i.idle == nil {
			i.idle = make(chan struct{})
		}
		idle := i.idle
		i.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// emptied tells those in Idle when the last request has ended. i.mu is held.
func (i *Instance) emptied() {
	if i.idle != nil && i.table.len() == 0 {
		close(i.idle)
		i.idle = nil
	}
}

// stop ends a request that the service did not answer before it was told to stop.
func (r *Request) stop() {
	if !r.instance.leaving.Load() {
		r.refuse(nil)
		return
	}
	if r.finish(refused, nil) {
		r.instance.counters.Refused.Add(1)
	}
}
