package workload

import (
	"fmt"

	"strowger/bench/dialect"
	"strowger/bench/load"
	"strowger/bench/process"
	"strowger/bench/server"
)

// EventSize is how many bytes of JSON an event carries.
const EventSize = 600

// Fanout keeps window events under way to that many subscribers.
func Fanout(members, window, classes int) Workload {
	return Workload{
		Name:        fmt.Sprintf("fanout-%d-w%d-c%d", members, window, classes),
		Title:       fmt.Sprintf("fan-out to %d, %d under way, %d classes", members, window, classes),
		Unit:        "delivery",
		Connections: members,
		Load:        bulk(members),
		run: func(r *round) error {
			f, err := newFlow(r, members, classes, EventSize)
			if err != nil {
				return err
			}
			return f.saturate(r, window)
		},
	}
}

// bulk is from how many members on servers are set up for a fan-out alone; with less, their usual
// settings did as well.
func bulk(members int) server.Load {
	const many = 3000
	if members < many {
		return server.Usual
	}
	return server.Bulk
}

// Paced says so many events a second to that many subscribers and looks at the latency.
func Paced(members, perSecond int) Workload {
	return Workload{
		Name:        fmt.Sprintf("rate-%d-%d", members, perSecond),
		Title:       fmt.Sprintf("%d events a second to %d", perSecond, members),
		Unit:        "delivery",
		Connections: members,
		run: func(r *round) error {
			f, err := newFlow(r, members, 1, EventSize)
			if err != nil {
				return err
			}
			f.latency = newLatencies()
			return f.pace(r, perSecond)
		},
	}
}

const (
	stalledEventSize = 32 << 10
	stalledRate      = 25
	// stalledTimes is how much longer than others it runs: until what waits for those who do not read
	// is more than any server holds for one.
	stalledTimes = 4
	// stalledBuffer is the least a kernel gives, so that those who do not read are soon seen.
	stalledBuffer = 4 << 10
)

// Stalled is a paced load to members while others of the topic never read.
func Stalled(members, stalled int) Workload {
	return Workload{
		Name:        fmt.Sprintf("stalled-%d-of-%d", stalled, members),
		Title:       fmt.Sprintf("%d stalled among %d readers, %d events of %d KiB a second", stalled, members, stalledRate, stalledEventSize>>10),
		Unit:        "delivery",
		Connections: members + stalled,
		Fits:        func(s server.Spec) bool { return !s.Stalls },
		run: func(r *round) error {
			f, err := newFlow(r, members, 1, stalledEventSize)
			if err != nil {
				return err
			}
			conns, err := r.dial(stalled, load.Options{ReceiveBuffer: stalledBuffer}, func(int) dialect.Role {
				return dialect.Role{Topic: topic}
			})
			if err != nil {
				return err
			}
			defer func() {
				for _, c := range conns {
					c.Close()
				}
			}()
			before, err := r.sample(0)
			if err != nil {
				return err
			}
			open, err := process.Files(r.server.PID())
			if err != nil {
				return err
			}
			f.latency = newLatencies()
			r.times.Measure *= stalledTimes
			if err := f.pace(r, stalledRate); err != nil {
				return err
			}
			left, err := process.Files(r.server.PID())
			if err != nil {
				return err
			}
			r.figures[CutOff] = float64(open - left)
			after, err := r.sample(0)
			r.figures[Peak] = float64(after.server.Peak-before.server.RSS) / (1 << 20)
			return err
		},
	}
}
