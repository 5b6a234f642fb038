package main

import (
	"strowger/bench/server"
	"strowger/bench/workload"
)

// variant is a strowger that is told something else than the others.
type variant struct {
	title   string
	environ []string
}

// variants are what Go's runtime, and strowger about it, can be told.
func variants() []variant {
	const floor = "STROWGER_MEMORY__HEAP_FLOOR="
	return []variant{
		{title: "defaults"},
		{title: "memory.heap_floor: 4MiB", environ: []string{floor + "4MiB"}},
		{title: "memory.heap_floor: 128MiB", environ: []string{floor + "128MiB"}},
		{title: "GOGC=50", environ: []string{"GOGC=50"}},
		{title: "GOGC=400", environ: []string{"GOGC=400"}},
		{title: "GOMEMLIMIT=48MiB", environ: []string{"GOMEMLIMIT=48MiB"}},
		{title: "GOMAXPROCS=1", environ: []string{"GOMAXPROCS=1"}},
		{title: "GOMAXPROCS=4", environ: []string{"GOMAXPROCS=4"}},
	}
}

// each returns a strowger for each variant.
func each(o server.StrowgerOptions) []server.Spec {
	var list []server.Spec
	for _, v := range variants() {
		with := o
		with.Name, with.Title = v.title, v.title
		with.Environ = append(v.environ, o.Environ...)
		list = append(list, server.Strowger(with))
	}
	return list
}

func settingsWorkloads() []workload.Workload {
	list := []workload.Workload{
		workload.Fanout(1000, 16, 10),
		workload.Paced(1000, 50),
		workload.Remote(50, 1),
		workload.Local(50),
		workload.Connect(5000),
		workload.Idle(10000),
	}
	for i := range list {
		list[i].Name = "settings-" + list[i].Name
		list[i].Curve = workload.Settings
	}
	return list
}
