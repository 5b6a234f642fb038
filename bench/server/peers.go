package server

import (
	"fmt"
	"os"
	"os/exec"

	"strowger/bench/dialect"
)

// ServeVerb is the first argument with which this program becomes a peer, the second is its name.
const ServeVerb = "serve"

// Hub is gws with nothing around it.
func Hub() Spec {
	return Spec{Name: "hub", Title: "gws hub", Collects: true, Local: true, Remote: true, start: own("hub", dialect.Hub{})}
}

// Centrifuge is the centrifuge library.
func Centrifuge() Spec {
	return Spec{Name: "centrifuge", Title: "centrifuge", Collects: true, Local: true, Topics: true, start: own("centrifuge", dialect.Centrifuge{})}
}

// NATS is nats-server over WebSocket.
func NATS() Spec {
	return Spec{Name: "nats", Title: "nats-server", Collects: true, Remote: true, Topics: true, start: own("nats", dialect.NATS{})}
}

// own starts this program again, as a peer.
func own(name string, d dialect.Dialect) func(string) (*exec.Cmd, dialect.Dialect, error) {
	return func(string) (*exec.Cmd, dialect.Dialect, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, nil, fmt.Errorf("find own program: %w", err)
		}
		return exec.Command(self, ServeVerb, name), d, nil
	}
}
