package workload

import (
	"errors"
	"fmt"

	"strowger/bench/dialect"
	"strowger/bench/load"
)

// Connect opens connections, authenticates and subscribes each.
func Connect(n int) Workload {
	return Workload{
		Name:        fmt.Sprintf("connect-%d", n),
		Title:       fmt.Sprintf("connect, authenticate and subscribe, %d times", n),
		Unit:        "connection",
		Connections: n,
		run: func(r *round) error {
			role := func(i int) dialect.Role { return dialect.Role{Topic: topic, Class: i % dialect.Classes} }
			tickets := make([]dialect.Ticket, n)
			for i := range tickets {
				var err error
				if tickets[i], err = r.server.Ticket(role(i)); err != nil {
					return err
				}
			}
			from, err := r.sample(0)
			if err != nil {
				return err
			}
			conns, err := load.DialMany(n, dialWorkers, func(i int) (*load.Conn, error) {
				return dialect.Dial(r.server, r.server.Addr, role(i), tickets[i], load.Options{})
			})
			if err != nil {
				return err
			}
			to, err := r.sample(int64(n))
			for _, c := range conns {
				c.Close()
			}
			return errors.Join(err, r.between(from, to))
		},
	}
}
