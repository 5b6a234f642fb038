// Package workload has what the servers are made to do. Every workload counts exactly: a message
// that is lost, comes twice or comes out of order makes it fail.
package workload

import (
	"errors"
	"fmt"
	"os"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/load"
	"strowger/bench/process"
	"strowger/bench/server"
)

// Workload is one thing that servers are made to do.
type Workload struct {
	// Name is the workload's in flags and results.
	Name string
	// Title is the workload's in tables.
	Title string
	// Unit is what is counted: delivery, round trip, connection.
	Unit string
	// Connections is how many it opens.
	Connections int
	// Fits tells whether a server can do it at all; nil means that each can.
	Fits func(server.Spec) bool
	// Load is what servers are set up for.
	Load server.Load
	// X is where the workload stands on a scale curve, and Curve which one; no curve, no plot.
	Curve string
	X     float64

	run func(r *round) error
}

// Times are how long the parts of a round take.
type Times struct {
	// Warm is for the load before anything is counted, Measure for what is counted.
	Warm, Measure time.Duration
	// Settle is how long an idle server is left alone before its memory is read.
	Settle time.Duration
	// Drain is how long the last deliveries may take.
	Drain time.Duration
}

// Fit tells whether the server can do the workload.
func (w Workload) Fit(s server.Spec) bool {
	if (w.Load == server.Switch) != (s.Corpus != "") {
		return false
	}
	if s.MaxConnections > 0 && w.Connections > s.MaxConnections {
		return false
	}
	return w.Fits == nil || w.Fits(s)
}

// Run does one round of the workload against a fresh server.
func (w Workload) Run(s server.Spec, times Times) (Figures, error) {
	running, err := s.Start(w.Load)
	if err != nil {
		return nil, err
	}
	loop, err := load.NewLoop()
	if err != nil {
		return nil, errors.Join(err, running.Stop())
	}
	r := &round{spec: s, server: running, loop: loop, times: times, figures: Figures{}}
	err = w.run(r)
	loop.Close()
	if err = errors.Join(err, running.Alive(), running.Stop()); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", w.Name, s.Name, err)
	}
	return r.figures, nil
}

// round is one run against one server.
type round struct {
	spec    server.Spec
	server  *server.Running
	loop    *load.Loop
	times   Times
	figures Figures
}

// dialWorkers is how many connections are opened at the same time.
const dialWorkers = 16

// dial opens n connections in the roles that role gives.
func (r *round) dial(n int, o load.Options, role func(i int) dialect.Role) ([]*load.Conn, error) {
	tickets := make([]dialect.Ticket, n)
	for i := range tickets {
		var err error
		if tickets[i], err = r.server.Ticket(role(i)); err != nil {
			return nil, err
		}
	}
	return load.DialMany(n, dialWorkers, func(i int) (*load.Conn, error) {
		return dialect.Dial(r.server, r.server.Addr, role(i), tickets[i], o)
	})
}

// sample is the state of things at one moment.
type sample struct {
	at           time.Duration
	server, load process.Usage
	count        int64
}

func (r *round) sample(count int64) (sample, error) {
	s := sample{at: r.loop.Now(), count: count}
	var err error
	if s.server, err = r.server.Usage(); err != nil {
		return s, err
	}
	s.load, err = process.Read(os.Getpid())
	return s, err
}

// between adds the figures for what was counted between two samples.
func (r *round) between(from, to sample) error {
	n := float64(to.count - from.count)
	if n <= 0 {
		return errors.New("nothing was counted")
	}
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	r.figures[Count] = n
	r.figures[CPU] = micros(to.server.CPU-from.server.CPU) / n
	r.figures[Load] = micros(to.load.CPU-from.load.CPU) / n
	r.figures[Resident] = float64(to.server.RSS) / (1 << 20)
	r.figures[Rate] = n / (to.at - from.at).Seconds()
	return nil
}
