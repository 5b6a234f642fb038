//go:build unix

package main

import (
	"os"
	"syscall"
)

// reloadSignals returns the signals that have the daemon read its settings anew.
func reloadSignals() []os.Signal { return []os.Signal{syscall.SIGHUP, syscall.SIGUSR1} }

// upgradeSignals returns the signals that have a new process take over.
func upgradeSignals() []os.Signal { return []os.Signal{syscall.SIGUSR2} }
