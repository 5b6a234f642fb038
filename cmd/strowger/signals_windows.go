package main

import (
	"os"
	"syscall"
)

// reloadSignals returns a signal that Windows never sends: none has the daemon read its settings anew.
func reloadSignals() []os.Signal { return []os.Signal{syscall.SIGHUP} }

// upgradeSignals returns a signal that Windows never sends: none has a new process take over.
func upgradeSignals() []os.Signal { return []os.Signal{syscall.SIGHUP} }
