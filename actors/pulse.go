package actors

import "strowger/actors/runtime"

// HoldersPulse returns the pulse of the actor that lets holders come back.
func (d *Deps) HoldersPulse() runtime.Pulse { return d.holders.Pulse() }
