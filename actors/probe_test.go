package actors

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// fakeProber is a socket that says whether it is alive.
type fakeProber struct {
	*fakeSocket
	probes atomic.Int32
	silent atomic.Bool
}

func (p *fakeProber) Probe()       { p.probes.Add(1) }
func (p *fakeProber) Silent() bool { return p.silent.Load() }

// A connection that shows that it is alive keeps its token; one that is silent gives it up, although it has
// not ended yet.
func TestConnectionIsProbed(t *testing.T) {
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent %v", silent), func(t *testing.T) {
			w := newReturns(t)
			token := w.token(&Credentials{Role: Client})
			socket := &fakeProber{fakeSocket: newFakeSocket()}
			socket.silent.Store(silent)
			first := w.connectFrom(here, socket)
			first.present(token)
			first.gets(admitted200)
			second := w.connectFrom(here, nil)
			second.present(token)
			w.settle(second.pid, second.pid, w.deps.holders.PID()) // its verdict comes as a message of its own
			second.silent()
			third := w.connectFrom(here, nil) // while somebody waits already
			third.present(token)
			third.gets(refused401)
			w.staysOut(token, there)
			if n := socket.probes.Load(); n != 1 {
				t.Errorf("%d probes, want one", n)
			}
			w.clock.Advance(probePatience)
			if silent {
				second.gets(admitted200)
				first.closedWith(Replaced)
				w.ended(first.pid)
			} else {
				second.gets(refused401)
				first.open()
			}
			w.staysOut(token, there)
		})
	}
}

// The old connection may end while it is probed.
func TestConnectionEndsWhileProbed(t *testing.T) {
	for name, farewell := range map[string]bool{"lost": false, "orderly": true} {
		t.Run(name, func(t *testing.T) {
			w := newReturns(t)
			token := w.token(&Credentials{Role: Client})
			first := w.connectFrom(here, &fakeProber{fakeSocket: newFakeSocket()})
			first.present(token)
			first.gets(admitted200)
			second := w.connectFrom(here, nil)
			second.present(token)
			w.settle(second.pid, second.pid, w.deps.holders.PID()) // its verdict comes as a message of its own
			if due, _ := w.clock.Due(probePatience); !due {
				t.Error("the connection is not probed")
			}
			w.lose(first, farewell)
			if farewell {
				second.gets(refused401)
			} else {
				second.gets(admitted200)
			}
			if due, _ := w.clock.Due(probePatience); due {
				t.Error("the timer of the probe is left behind")
			}
		})
	}
}
