package main

import (
	"time"

	"strowger/bench/workload"
)

// plan is a set of workloads and how long each is measured.
type plan struct {
	name      string
	rounds    int
	times     workload.Times
	workloads []workload.Workload
	variants  bool // of strowger take part, and nobody else
	site      bool // servers have FusionPBX's services, and only those that can take part
}

// drain is what the last deliveries may take; beyond it they are lost.
const drain = 20 * time.Second

// warm is longer than the half a second that strowger's service needs to have something to answer with.
const warm = time.Second

// settle is longer than strowger takes to see that it is idle and to give memory back.
const settle = 12 * time.Second

func planNames() []string {
	var names []string
	for _, p := range plans() {
		names = append(names, p.name)
	}
	return names
}

func plans() []plan {
	return []plan{
		{name: "full", rounds: 3, workloads: fullWorkloads(),
			times: workload.Times{Warm: warm, Measure: 4 * time.Second, Settle: settle, Drain: drain}},
		{name: "quick", rounds: 1, workloads: quickWorkloads(),
			times: workload.Times{Warm: 700 * time.Millisecond, Measure: time.Second, Settle: 2 * time.Second, Drain: drain}},
		{name: "curves", rounds: 3, workloads: workload.OfCurves(),
			times: workload.Times{Warm: 500 * time.Millisecond, Measure: 2 * time.Second, Settle: settle, Drain: drain}},
		{name: "settings", rounds: 3, workloads: settingsWorkloads(), variants: true,
			times: workload.Times{Warm: warm, Measure: 2 * time.Second, Settle: settle, Drain: drain}},
		{name: "switch", rounds: 1, workloads: switchWorkloads(), site: true,
			times: workload.Times{Warm: warm, Measure: 30 * time.Second, Settle: settle, Drain: 2 * time.Minute}},
		{name: "smoke", rounds: 1, workloads: smokeWorkloads(),
			times: workload.Times{Warm: 20 * time.Millisecond, Measure: 80 * time.Millisecond, Settle: 50 * time.Millisecond, Drain: drain}},
	}
}

func fullWorkloads() []workload.Workload {
	return []workload.Workload{
		workload.Fanout(100, 16, 1),
		workload.Fanout(100, 16, 10),
		workload.Fanout(500, 16, 1),
		workload.Fanout(1000, 1, 1),
		workload.Fanout(1000, 16, 1),
		workload.Fanout(1000, 16, 10),
		workload.Fanout(1000, 64, 1),
		workload.Fanout(5000, 16, 1),
		workload.Fanout(5000, 16, 10),
		workload.Paced(1000, 50),
		workload.Remote(50, 1),
		workload.Local(50),
		workload.Connect(5000),
		workload.Idle(10000),
		workload.Idle(19000),
		workload.Churn(500),
		workload.Stalled(1000, 1),
		workload.Stalled(1000, 50),
	}
}

func quickWorkloads() []workload.Workload {
	return []workload.Workload{
		workload.Fanout(100, 16, 1),
		workload.Fanout(500, 16, 1),
		workload.Fanout(1000, 16, 1),
		workload.Fanout(1000, 16, 10),
		workload.Fanout(5000, 16, 10),
		workload.Paced(1000, 50),
		workload.Remote(50, 1),
		workload.Local(50),
		workload.Connect(2000),
		workload.Idle(5000),
		workload.Churn(500),
		workload.Stalled(1000, 50),
	}
}

func switchWorkloads() []workload.Workload {
	return []workload.Workload{
		workload.SwitchRate(2000, 20),
		workload.SwitchRate(100, 20),
		workload.SwitchRate(100, 500),
		workload.SwitchRate(500, 500),
		workload.SwitchMemory(500),
	}
}

func smokeWorkloads() []workload.Workload {
	return []workload.Workload{
		workload.Fanout(5, 4, 10),
		workload.Paced(5, 100),
		workload.Remote(3, 2),
		workload.Local(3),
		workload.Connect(10),
		workload.Idle(10),
		workload.Churn(5),
		workload.Stalled(5, 1),
	}
}
