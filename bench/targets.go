package main

import (
	"strowger/bench/report"
	"strowger/bench/workload"
)

// targets are what strowger is to reach, as shares of its peers' figures in the same run.
func targets() []report.Target {
	const (
		fanout1000 = "fanout-1000-w16-c10"
		fanout5000 = "fanout-5000-w16-c10"
	)
	return []report.Target{
		{Title: "fan-out to 1,000, 10 classes, CPU", Workload: fanout1000, Metric: workload.CPU, Server: "centrifuge", Bound: 0.6},
		{Title: "fan-out to 1,000, 10 classes, CPU", Workload: fanout1000, Metric: workload.CPU, Server: "nats", Bound: 0.5},
		{Title: "fan-out to 1,000, 10 classes, CPU", Workload: fanout1000, Metric: workload.CPU, Server: "hub", Bound: 0.2},
		{Title: "fan-out to 5,000, CPU", Workload: fanout5000, Metric: workload.CPU, Server: "centrifuge", Bound: 0.4},
		{Title: "fan-out to 5,000, CPU", Workload: fanout5000, Metric: workload.CPU, Server: "nats", Bound: 0.2},
		{Title: "fan-out to 100, 10 classes, CPU", Workload: "fanout-100-w16-c10", Metric: workload.CPU, Server: "floor", Bound: 1.5},
		{Title: "fan-out to 1,000, 10 classes, CPU", Workload: fanout1000, Metric: workload.CPU, Server: "floor", Bound: 1.1},
		{Title: "fan-out to 5,000, 10 classes, CPU", Workload: fanout5000, Metric: workload.CPU, Server: "floor", Bound: 1.1},
		{Title: "1,000 × 50 a second, CPU", Workload: "rate-1000-50", Metric: workload.CPU, Server: "floor", Bound: 1.2},
		{Title: "1,000 × 50 a second, p99", Workload: "rate-1000-50", Metric: workload.P99, Server: "floor", Bound: 1},
		{Title: "request/reply, in-process service, CPU", Workload: "local-50", Metric: workload.CPU, Server: "floor", Bound: 2},
		{Title: "request/reply, in-process service, p99", Workload: "local-50", Metric: workload.P99, Server: "floor", Bound: 2},
		{Title: "request/reply, remote service, CPU", Workload: "remote-50-s1", Metric: workload.CPU, Server: "floor", Bound: 2},
		{Title: "request/reply, remote service, p99", Workload: "remote-50-s1", Metric: workload.P99, Server: "floor", Bound: 1.5},
		{Title: "connect and authenticate, CPU", Workload: "connect-5000", Metric: workload.CPU, Server: "floor", Bound: 4},
		{Title: "fan-out to 100, 10 classes, CPU", Workload: "fanout-100-w16-c10", Metric: workload.CPU, Server: "uwebsockets", Bound: 1.3},
		{Title: "fan-out to 1,000, 10 classes, CPU", Workload: fanout1000, Metric: workload.CPU, Server: "uwebsockets", Bound: 1},
		{Title: "fan-out to 5,000, 10 classes, CPU", Workload: fanout5000, Metric: workload.CPU, Server: "uwebsockets", Bound: 1},
		{Title: "1,000 × 50 a second, CPU", Workload: "rate-1000-50", Metric: workload.CPU, Server: "uwebsockets", Bound: 1.1},
		{Title: "1,000 × 50 a second, p99", Workload: "rate-1000-50", Metric: workload.P99, Server: "uwebsockets", Bound: 0.9},
		{Title: "request/reply, in-process service, CPU", Workload: "local-50", Metric: workload.CPU, Server: "uwebsockets", Bound: 2},
		{Title: "request/reply, in-process service, p99", Workload: "local-50", Metric: workload.P99, Server: "uwebsockets", Bound: 2},
		{Title: "request/reply, remote service, CPU", Workload: "remote-50-s1", Metric: workload.CPU, Server: "uwebsockets", Bound: 1.5},
		{Title: "request/reply, remote service, p99", Workload: "remote-50-s1", Metric: workload.P99, Server: "uwebsockets", Bound: 1.3},
		{Title: "connect and authenticate, CPU", Workload: "connect-5000", Metric: workload.CPU, Server: "uwebsockets", Bound: 3.5},
		{Title: "1,000 × 50 a second, CPU", Workload: "rate-1000-50", Metric: workload.CPU, Server: "hub", Bound: 0.85},
		{Title: "1,000 × 50 a second, p99", Workload: "rate-1000-50", Metric: workload.P99, Server: "hub", Bound: 1},
		{Title: "idle connection, RSS at 10,000", Workload: "idle-10000", Metric: workload.PerConn, Server: "centrifuge", Bound: 0.35},
		{Title: "idle connection, RSS at 10,000", Workload: "idle-10000", Metric: workload.PerConn, Server: "hub", Bound: 0.65},
		{Title: "idle connection, RSS at 19,000", Workload: "idle-19000", Metric: workload.PerConn, Server: "centrifuge", Bound: 0.35},
		{Title: "idle connection, RSS at 19,000", Workload: "idle-19000", Metric: workload.PerConn, Server: "hub", Bound: 0.65},
		{Title: "connect and authenticate, CPU", Workload: "connect-5000", Metric: workload.CPU, Server: "centrifuge", Bound: 1.1},
		{Title: "request/reply, in-process service, CPU", Workload: "local-50", Metric: workload.CPU, Server: "centrifuge", Bound: 1},
		{Title: "request/reply, remote service, CPU", Workload: "remote-50-s1", Metric: workload.CPU, Server: "nats", Bound: 1},
		{Title: "request/reply, remote service, round trips/s", Workload: "remote-50-s1", Metric: workload.Rate, Server: "php", Bound: 5, AtLeast: true},
		{Title: "50 stalled readers, others' p99.9", Workload: "stalled-50-of-1000", Metric: workload.P999, Server: "centrifuge", Bound: 1},
		{Title: "fan-out to 500, deliveries/s", Workload: "fanout-500-w16-c1", Metric: workload.Rate, Server: "php", Bound: 10, AtLeast: true},
		{Title: "fan-out to 500, CPU", Workload: "fanout-500-w16-c1", Metric: workload.CPU, Server: "php", Bound: 0.1},
	}
}
