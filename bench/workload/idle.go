package workload

import (
	"fmt"
	"syscall"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/load"
	"strowger/bench/server"
)

// collectTime is how long a server may take to collect its garbage.
const collectTime = 2 * time.Second

// Idle opens connections that are authenticated and subscribed, and leaves them alone.
func Idle(n int) Workload {
	return Workload{
		Name:        fmt.Sprintf("idle-%d", n),
		Title:       fmt.Sprintf("%d idle connections", n),
		Unit:        "connection",
		Connections: n,
		Load:        server.Idle,
		run: func(r *round) error {
			from, err := r.sample(0)
			if err != nil {
				return err
			}
			f := &flow{loop: r.loop, dialect: r.server, failed: make(chan struct{})}
			conns, err := r.dial(n, load.Options{}, func(i int) dialect.Role {
				return dialect.Role{Topic: topic, Class: i % dialect.Classes}
			})
			if err != nil {
				return err
			}
			for _, c := range conns {
				c.Handler = f
			}
			if err := r.loop.Add(conns...); err != nil {
				return err
			}
			if err := f.wait(r.times.Settle); err != nil {
				return err
			}
			settled, err := r.sample(int64(n))
			if err != nil {
				return err
			}
			perConn := func(s sample) float64 { return float64(s.server.RSS-from.server.RSS) / float64(n) / (1 << 10) }
			r.figures[Count] = float64(n)
			r.figures[PerConn] = perConn(settled)
			if !r.spec.Collects {
				return nil
			}
			if err := r.server.Signal(syscall.SIGUSR1); err != nil {
				return fmt.Errorf("ask for a collection: %w", err)
			}
			if err := f.wait(collectTime); err != nil {
				return err
			}
			collected, err := r.sample(int64(n))
			r.figures[PerConnGC] = perConn(collected)
			return err
		},
	}
}
