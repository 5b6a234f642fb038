package workload

import (
	"fmt"

	"strowger/bench/dialect"
	"strowger/bench/load"
	"strowger/bench/server"
)

// Curve is a figure against something that grows.
type Curve struct {
	// Name is the curve's in file names, Title over the plot.
	Name, Title string
	// X is what grows, Y the figure.
	X string
	Y Metric
}

// Settings stands in the place of a curve for workloads that compare settings.
const Settings = "settings"

// Curves are all of them. Theory says that they are flat, but for what caches and the kernel add.
func Curves() []Curve {
	return []Curve{byMembers(), byConnections(), byServices(), byTopics()}
}

func byMembers() Curve {
	return Curve{Name: "members", Title: "Fan-out: CPU for one delivery, µs", X: "subscribers", Y: CPU}
}

func byConnections() Curve {
	return Curve{Name: "connections", Title: "Idle: resident memory for one connection, KiB", X: "connections", Y: PerConn}
}

func byServices() Curve {
	return Curve{Name: "services", Title: "Request/reply: CPU for one round trip, µs", X: "remote services", Y: CPU}
}

func byTopics() Curve {
	return Curve{Name: "topics", Title: "Fan-out to 10: CPU for one delivery, µs", X: "topics", Y: CPU}
}

// OfCurves are the workloads that make up the curves.
func OfCurves() []Workload {
	const window, callers = 16, 50
	var list []Workload
	add := func(c Curve, x int, w Workload) {
		w.Name, w.Curve, w.X = "curve-"+w.Name, c.Name, float64(x)
		list = append(list, w)
	}
	for _, n := range []int{10, 30, 100, 300, 1000, 3000, 10000, 15000} {
		add(byMembers(), n, Fanout(n, window, 1))
	}
	for _, n := range []int{1000, 3000, 10000, 19000} {
		add(byConnections(), n, Idle(n))
	}
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		add(byServices(), n, Remote(callers, n))
	}
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		add(byTopics(), n, topics(10, window, n))
	}
	return list
}

// topicsEach is how many topics one connection subscribes to at most.
const topicsEach = 100

// topics is a fan-out to members while others subscribe to topics that nobody speaks on.
func topics(members, window, topics int) Workload {
	w := Fanout(members, window, 1)
	w.Name = fmt.Sprintf("topics-%d", topics)
	w.Title = fmt.Sprintf("fan-out to %d with %d topics", members, topics)
	w.Fits = func(s server.Spec) bool { return s.Topics }
	w.run = func(r *round) error {
		f, err := newFlow(r, members, 1, EventSize)
		if err != nil {
			return err
		}
		others, err := r.dial((topics-1+topicsEach-1)/topicsEach, load.Options{}, func(i int) dialect.Role {
			return dialect.Role{Topic: "silent", FirstSpare: i * topicsEach, Spare: min(topicsEach, topics-1-i*topicsEach)}
		})
		if err != nil {
			return err
		}
		for _, c := range others {
			c.Handler = &quiet{f}
		}
		if err := r.loop.Add(others...); err != nil {
			return err
		}
		return f.saturate(r, window)
	}
	return w
}
