package server

import (
	"fmt"
	"os"
	"os/exec"

	"strowger/bench/dialect"
)

// ServeVerb is the first argument with which this program becomes a peer, the second is its name.
const ServeVerb = "serve"

// rarely has a peer collect garbage as rarely as strowger does, which has a floor for its heap. It may
// cost memory, so it is not for idle connections.
const rarely = "-ballast=16"

// Hub is gws with nothing around it.
func Hub() Spec {
	return own(Spec{Name: "hub", Title: "gws hub", Local: true, Remote: true}, dialect.Hub{}, nil)
}

// Centrifuge is the centrifuge library. Any args are flags of its process, in place of the settings
// that did best.
func Centrifuge(args ...string) Spec {
	tuned := map[Load][]string{
		Idle: {"-off-read-loop"},
		Bulk: {"-write-delay=1ms", "-max-in-frame=-1"},
	}
	if len(args) > 0 {
		tuned = map[Load][]string{Usual: args, Idle: args, Bulk: args}
	}
	return own(Spec{Name: "centrifuge", Title: "centrifuge", Local: true, Topics: true}, dialect.Centrifuge{}, tuned)
}

// NATS is nats-server over WebSocket.
func NATS() Spec {
	return own(Spec{Name: "nats", Title: "nats-server", Remote: true, Topics: true}, dialect.NATS{}, nil)
}

// own makes a peer of this program, with the flags that are best for a kind of load.
func own(s Spec, d dialect.Dialect, flags map[Load][]string) Spec {
	s.Collects = true
	s.start = func(load Load, _ string) (*exec.Cmd, dialect.Dialect, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, nil, fmt.Errorf("find own program: %w", err)
		}
		args := append([]string{ServeVerb, s.Name}, flags[load]...)
		if load != Idle {
			args = append(args, rarely)
		}
		return exec.Command(self, args...), d, nil
	}
	return s
}
