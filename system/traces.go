package system

import (
	"context"

	"strowger/system/internal/tracing"
)

// trace has requests traced if the settings name a collector.
func (s *System) trace() {
	set := &s.cfg.Traces
	if set.Endpoint == "" {
		return
	}
	o := tracing.Options{Endpoint: set.Endpoint, OneIn: set.OneIn, Version: s.build.Version, Log: s.log}
	if s.cluster != nil {
		o.Node = s.cluster.node
	}
	s.tracer = tracing.New(o)
	s.deps.Tracer = s.tracer
}

// endTraces sends the spans that wait. A collector that does not answer does not hold up the end for long.
func (s *System) endTraces(ctx context.Context) {
	if s.tracer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hurry)
	defer cancel()
	if err := s.tracer.Stop(ctx); err != nil {
		s.log.Warn("the last traces were not sent", "setting", "traces.endpoint", "err", err)
	}
}
