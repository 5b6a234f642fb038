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

// Centrifuge is the centrifuge library. Any args are flags of its process, in place of the settings
// that did best.
func Centrifuge(args ...string) Spec {
	s := Spec{Name: "centrifuge", Title: "centrifuge", Collects: true, Local: true, Topics: true, start: own("centrifuge", dialect.Centrifuge{}, args...)}
	if len(args) == 0 {
		s.tuned = map[Load]starter{
			Idle: own("centrifuge", dialect.Centrifuge{}, "-off-read-loop"),
			Bulk: own("centrifuge", dialect.Centrifuge{}, "-write-delay=1ms", "-max-in-frame=-1"),
		}
	}
	return s
}

// NATS is nats-server over WebSocket.
func NATS() Spec {
	return Spec{Name: "nats", Title: "nats-server", Collects: true, Remote: true, Topics: true, start: own("nats", dialect.NATS{})}
}

// own starts this program again, as a peer.
func own(name string, d dialect.Dialect, args ...string) starter {
	return func(string) (*exec.Cmd, dialect.Dialect, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, nil, fmt.Errorf("find own program: %w", err)
		}
		return exec.Command(self, append([]string{ServeVerb, name}, args...)...), d, nil
	}
}
