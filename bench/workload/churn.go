package workload

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"strowger/bench/dialect"
	"strowger/bench/load"
)

const (
	churners = 8 // at the same time
	// stay is how many events a member that came takes before it leaves.
	stay        = 32
	churnWindow = 4
)

// Churn has members come and go while a fan-out runs. Those who stay get every event; whoever comes
// gets every event that was said after the server had let it in, until it leaves.
func Churn(members int) Workload {
	return Workload{
		Name:        fmt.Sprintf("churn-%d", members),
		Title:       fmt.Sprintf("fan-out to %d while members come and go", members),
		Unit:        "delivery",
		Connections: members + churners,
		run: func(r *round) error {
			f, err := newFlow(r, members, dialect.Classes, EventSize)
			if err != nil {
				return err
			}
			var joined atomic.Int64
			var workers sync.WaitGroup
			errs := make([]error, churners)
			for w := range churners {
				workers.Go(func() {
					for errs[w] == nil {
						select {
						case <-f.over:
							return
						default:
						}
						if errs[w] = f.visit(r); errs[w] == nil {
							joined.Add(1)
						}
					}
				})
			}
			err = f.saturate(r, churnWindow)
			close(f.over)
			workers.Wait()
			r.figures[Joined] = float64(joined.Load())
			return errors.Join(append(errs, err)...)
		},
	}
}

// visit is one member that comes, takes some events and leaves.
func (f *flow) visit(r *round) error {
	role := dialect.Role{Topic: topic}
	ticket, err := r.server.Ticket(role)
	if err != nil {
		return err
	}
	c, err := dialect.Dial(r.server, r.server.Addr, role, ticket, load.Options{})
	if err != nil {
		return err
	}
	v := &visitor{flow: f, known: f.sent.Load(), left: make(chan error, 1)}
	c.Handler = v
	if err := r.loop.Add(c); err != nil {
		return err
	}
	select {
	case err = <-v.left:
	case <-f.over:
	}
	f.loop.Do(c.Close)
	return err
}

// visitor is the handler of a member that came while events were said.
type visitor struct {
	*flow
	known uint32 // said before it was in: may come, need not
	seen  int
	left  chan error
}

func (v *visitor) Frame(c *load.Conn, payload []byte) {
	v.each(c, payload, func(m load.Mark) {
		switch {
		case c.Last == 0 && m.Seq > v.known+1:
			v.leave(fmt.Errorf("visitor was in before event %d and got %d first", v.known+1, m.Seq))
		case c.Last != 0 && m.Seq != c.Last+1:
			v.leave(fmt.Errorf("visitor got event %d after %d", m.Seq, c.Last))
		}
		c.Last = m.Seq
		if v.seen++; v.seen == stay {
			v.leave(nil)
		}
	})
}

func (v *visitor) Closed(_ *load.Conn, err error) { v.leave(fmt.Errorf("visitor: %w", err)) }

func (v *visitor) leave(err error) {
	select {
	case v.left <- err:
	default: // it has left already
	}
}
