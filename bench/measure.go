package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"strowger/bench/report"
	"strowger/bench/server"
	"strowger/bench/workload"
)

// measure runs a plan and writes what came out.
func measure(o options) error {
	chosen := plans()[slices.IndexFunc(plans(), func(p plan) bool { return p.name == o.plan })]
	override(&chosen, o)
	servers, filters, cleanup, err := pickServers(o, chosen)
	defer cleanup()
	if err != nil {
		return err
	}
	result := &report.Result{Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(o.root), Machine: machine(),
		Versions: versions(), Filters: filters, Arguments: o.args}
	if o.pin {
		if err := leave(); err != nil {
			return err
		}
	}
	start := time.Now()
	// The round under way is finished, so that it can clean up; a second signal ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	chosen.workloads = slices.DeleteFunc(chosen.workloads, func(w workload.Workload) bool { return !o.only.MatchString(w.Name) })
	if len(chosen.workloads) == 0 {
		return fmt.Errorf("-only: plan %s has no workload like %s", chosen.name, o.only)
	}
	for _, w := range chosen.workloads {
		result.Series = append(result.Series, rounds(ctx, w, servers, chosen)...)
		if err := save(result, o.out); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%s; results are in %s\n", time.Since(start).Round(time.Second), o.out)
	if err := ctx.Err(); err != nil {
		return errors.New("interrupted")
	}
	if failed := result.Failed(); len(failed) > 0 {
		return fmt.Errorf("%d rounds failed", len(failed))
	}
	return nil
}

func override(p *plan, o options) {
	if o.rounds > 0 {
		p.rounds = o.rounds
	}
	if o.times.Warm > 0 {
		p.times.Warm = o.times.Warm
	}
	if o.times.Measure > 0 {
		p.times.Measure = o.times.Measure
	}
	if o.times.Settle > 0 {
		p.times.Settle = o.times.Settle
	}
}

// rounds measures one workload with all servers, taking turns.
func rounds(ctx context.Context, w workload.Workload, servers []server.Spec, p plan) []report.Series {
	var series []report.Series
	var fit []server.Spec
	for _, s := range servers {
		if w.Fit(s) {
			fit = append(fit, s)
			series = append(series, report.Series{Workload: w.Name, Title: w.Title, Unit: w.Unit, Curve: w.Curve, X: w.X,
				Server: s.Name, ServerTitle: s.Title})
		}
	}
	for round := range p.rounds {
		for i, s := range fit {
			if ctx.Err() != nil {
				return series
			}
			figures, err := w.Run(s, p.times)
			if err != nil {
				series[i].Errors = append(series[i].Errors, err.Error())
				fmt.Fprintf(os.Stderr, "%-22s %-11s %d: %v\n", w.Name, s.Name, round+1, err)
				continue
			}
			series[i].Rounds = append(series[i].Rounds, figures)
			fmt.Fprintf(os.Stderr, "%-22s %-11s %d: %s\n", w.Name, s.Name, round+1, line(figures))
		}
	}
	return series
}

func line(figures workload.Figures) string {
	var parts []string
	for _, m := range workload.Metrics() {
		if value, ok := figures[m]; ok {
			parts = append(parts, fmt.Sprintf("%s %.4g", m, value))
		}
	}
	return strings.Join(parts, "  ")
}

func save(result *report.Result, dir string) error {
	if err := result.Write(filepath.Join(dir, "results.json")); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "results.md"))
	if err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	return errors.Join(result.Heading(f), report.TargetTable(f, result.Judge(targets())), result.Tables(f), result.SettingsTable(f), f.Close())
}

// pickServers builds what is needed and returns those servers that were asked for. cleanup is never
// nil.
func pickServers(o options, p plan) (list []server.Spec, filters bool, cleanup func(), err error) {
	cleanup = func() {}
	wanted := func(name string) bool {
		return len(o.servers) == 0 && (!p.variants || name == "strowger") || slices.Contains(o.servers, name)
	}
	peers := append([]server.Spec{server.Hub(), server.Centrifuge(o.centrifuge...), server.NATS()}, o.programs...)
	if p.site {
		peers = nil
	}
	for _, s := range peers {
		if wanted(s.Name) {
			list = append(list, s)
		}
	}
	if _, missing := exec.LookPath("cc"); missing == nil && wanted("floor") && !p.site {
		dir, err := os.MkdirTemp("", "strowger-bench-")
		if err != nil {
			return nil, false, cleanup, err
		}
		cleanup = func() { _ = os.RemoveAll(dir) } // it is temporary anyway
		program, err := server.BuildFloor(dir)
		if err != nil {
			return nil, false, cleanup, err
		}
		list = append(list, server.Floor(program))
	}
	if source := os.Getenv("FUSIONPBX_SRC"); source != "" && wanted("php") {
		original := server.Original(source)
		if p.site {
			original = server.OriginalSite(source, o.corpus())
		}
		list = append(list, original)
	}
	if wanted("strowger") {
		binary := o.strowger
		if binary == "" {
			dir, err := os.MkdirTemp("", "strowger-bench-")
			if err != nil {
				return nil, false, cleanup, err
			}
			before := cleanup
			cleanup = func() { before(); _ = os.RemoveAll(dir) }
			if binary, err = server.Build(o.root, dir); err != nil {
				return nil, false, cleanup, err
			}
		}
		settings, err := server.Configure(binary)
		if err != nil {
			return nil, false, cleanup, err
		}
		filters = settings.Filters
		strowger := server.StrowgerOptions{Binary: binary, JSON: o.json, Settings: settings, Service: o.service, Environ: o.environ}
		if p.site {
			return pin(append(list, server.StrowgerSite(strowger, o.corpus())), o.pin), filters, cleanup, nil
		}
		if p.variants {
			return append(list, each(strowger)...), filters, cleanup, nil
		}
		list = append(list, server.Strowger(strowger))
	}
	for _, name := range o.servers {
		if !slices.ContainsFunc(list, func(s server.Spec) bool { return s.Name == name }) {
			return nil, false, cleanup, fmt.Errorf("-servers: %s is not known or cannot run here", name)
		}
	}
	return list, filters, cleanup, nil
}
