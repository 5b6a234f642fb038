package actors

import "strowger/actors/runtime"

// HoldersPulse returns the pulse of the actor that lets holders come back.
func (d *Deps) HoldersPulse() runtime.Pulse { return d.holders.Pulse() }

// SessionsPulse returns the pulse of the actor that lets clients go on with their sessions.
func (d *Deps) SessionsPulse() runtime.Pulse { return d.sessions.Pulse() }
