//go:build !linux

package system

import (
	"context"
	"errors"
	"net"
	"os/exec"
)

var errNoUpgrade = errors.New("an upgrade of the running daemon needs Linux: a restart is the way here")

// Heir is what a process takes over from another one. There is none but on Linux.
type Heir struct{ Version string }

// OpenHeir returns nil: there is nothing to take over.
func OpenHeir(string) (*Heir, error) { return nil, nil }

func (h *Heir) had(string) bool { return false }

func (h *Heir) added() []recipe { return nil }

// Fail does nothing.
func (h *Heir) Fail(error) {}

func (h *Heir) sockets(string, string) (router, admin net.Listener, err error) {
	return nil, nil, errNoUpgrade
}

func (h *Heir) take(*System) error { return errNoUpgrade }

// Upgrade returns an error: it needs Linux.
func (s *System) Upgrade(context.Context, *exec.Cmd) (*Upgraded, error) { return nil, errNoUpgrade }
