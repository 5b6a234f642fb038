// Package recorded is the demo's telephone switch for FusionPBX's own services: a simulator that plays recordings of a
// real FreeSWITCH again and again, and a service that says what it plays and can make it misbehave.
package recorded

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"strowger/system/fusionpbx/switchsim"
)

// Password is the one that the switch takes.
const Password = "ClueCon"

const (
	away       = 5 * time.Second // how long a switch that is dropped stays away
	floodRate  = 2000            // events a second
	floodFor   = 5               // seconds
	scenePause = 2 * time.Second // between two recordings
)

// What the switch does, as State says.
const (
	playing  = "playing"
	gone     = "gone"
	flooding = "flooding"
)

// Fault is a way to misbehave.
type Fault string

// Drop takes the switch away for a while; Flood has it send 2,000 events a second.
const (
	Drop  Fault = "drop"
	Flood Fault = "flood"
)

// State is what the switch does now.
type State struct {
	State string `json:"state"` // playing, gone or flooding
	About string `json:"about"` // what happens in the recording
}

// Player is the switch. Run plays until its context ends.
type Player struct {
	sim    *switchsim.Simulator
	scenes []scene
	orders chan Fault // at most one waits

	mu      sync.Mutex // Protects following.
	state   State
	changed chan struct{} // closed and replaced with the state
}

// New returns a switch that only Dial reaches. The caller must call Run, which ends it.
func New(log *slog.Logger) (*Player, error) {
	all, err := scenes()
	if err != nil {
		return nil, err
	}
	return &Player{
		sim:    switchsim.New(all[0].recording, switchsim.Options{Password: Password, Speed: 1, Log: log}),
		scenes: all, orders: make(chan Fault, 1), changed: make(chan struct{}),
		state: State{playing, all[0].about},
	}, nil
}

// Dial connects to the switch, whatever the address.
func (p *Player) Dial(ctx context.Context, address string) (net.Conn, error) {
	return p.sim.Dial(ctx, address)
}

// Run plays all recordings again and again until ctx ends, and then ends the switch.
func (p *Player) Run(ctx context.Context) {
	defer p.sim.Close()
	for i := 0; ctx.Err() == nil; i++ {
		s := p.scenes[i%len(p.scenes)]
		p.sim.Change(s.recording)
		p.set(State{playing, s.about})
		p.scene(ctx, s)
	}
}

// scene plays one recording and waits a little, or misbehaves as soon as it is told to.
func (p *Player) scene(ctx context.Context, s scene) {
	playing, stop := context.WithCancel(ctx)
	played := make(chan struct{})
	go func() {
		defer close(played)
		if p.sim.Play(playing) == nil {
			sleep(playing, scenePause)
		}
	}()
	select {
	case <-played:
		stop()
	case fault := <-p.orders:
		stop()
		<-played
		p.misbehave(ctx, fault, s)
	}
}

func (p *Player) misbehave(ctx context.Context, fault Fault, s scene) {
	if fault == Drop {
		p.set(State{gone, s.about})
		p.sim.Leave(away)
		sleep(ctx, away)
		return
	}
	p.set(State{flooding, s.about})
	// Whole recordings, so that no call is left in the middle.
	count := (floodRate*floodFor/len(s.recording.Events) + 1) * len(s.recording.Events)
	_ = p.sim.Flood(ctx, count, floodRate) // it fails only when ctx ends
}

// order has the switch misbehave. It returns false if it is about to already.
func (p *Player) order(f Fault) bool {
	select {
	case p.orders <- f:
		return true
	default:
		return false
	}
}

func (p *Player) set(s State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	close(p.changed)
	p.changed = make(chan struct{})
}

// now returns the state and what is closed when it changes.
func (p *Player) now() (State, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.changed
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
