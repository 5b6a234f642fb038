package remote

import (
	"cmp"
	"fmt"

	"strowger/client"
	"strowger/system/service"
)

// Options says how a Server connects and runs its service. The zero value serves; a zero field means
// the default named with it.
type Options struct {
	// Client says how to connect. Its RequestTimeout, FailFast, OnMessage and Reconnect.FromStart are
	// not used: a Server sets what it needs. Its Logger gets the service's log too.
	Client client.Options
	// Pool is how many calls of Go may run at once. Zero means 8.
	Pool int
	// OnDead is told what a crash has lost. It must not block. Nil means nobody is told.
	OnDead func(d *service.DeadLetter)
	// OutboxMessages and OutboxBytes are how much of what the service says may wait for the router. A
	// broadcast beyond them is dropped; replies may use a quarter more; above half of them the
	// service's sources wait. Zero means 16384 messages and 64 MiB.
	OutboxMessages int
	OutboxBytes    int
}

func (o Options) withDefaults() (Options, error) {
	o.OutboxMessages = cmp.Or(o.OutboxMessages, 16384)
	o.OutboxBytes = cmp.Or(o.OutboxBytes, 64<<20)
	if o.OutboxMessages < 0 {
		return o, fmt.Errorf("options: OutboxMessages is %d, must not be negative", o.OutboxMessages)
	}
	if o.OutboxBytes < 0 {
		return o, fmt.Errorf("options: OutboxBytes is %d, must not be negative", o.OutboxBytes)
	}
	var err error
	if o.Client, err = o.Client.WithDefaults(); err != nil {
		return o, err
	}
	o.Client.FailFast = true
	o.Client.Reconnect.FromStart = true
	return o, nil
}
