package system

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/janitor"
	"strowger/system/internal/supervisor"
	"strowger/system/token"
)

// tokenCheck is how often it is looked at whether tokens can be claimed.
const tokenCheck = 10 * time.Second

// setCheck is how often it is looked at whether keys for JWTs are to be fetched.
const setCheck = 5 * time.Second

// janitors is the branch of the tree for what is done from time to time.
func (s *System) janitors() (*actor.Props, error) {
	o := supervisor.Options{Strategy: supervisor.OneForOne, Together: true, Observe: s.observer(place(janitorsPlace))}
	jobs := []janitor.Options{
		{Name: "token_check", Every: tokenCheck, Workers: s.pool, Work: func(context.Context) error { return s.checkTokens() }},
	}
	// Whether there are sets of keys, and how old they may be, may change with a reload.
	jobs = append(jobs, janitor.Options{Name: "jwt_keys", Every: setCheck, Work: func(context.Context) error { s.tokens.bearers.refresh(); return nil }})
	if every := s.cfg.Tokens.SweepInterval; every > 0 {
		jobs = append(jobs, janitor.Options{Name: "token_sweep", Every: every, Workers: s.pool, Work: s.sweepTokens})
	}
	if every := s.cfg.Memory.TrimInterval; every > 0 {
		jobs = append(jobs, janitor.Options{Name: "memory", Every: every, Work: (&trimmer{idle: s.deps.Trim}).run})
	}
	for _, job := range jobs {
		job.Clock, job.Log = s.deps.Clock, s.log
		if job.Workers == nil {
			job.Workers = s.bearing
		}
		producer, err := janitor.New(job)
		if err != nil {
			return nil, err
		}
		s.insight.tree.Add(place(janitorsPlace, job.Name), "janitor", nil)
		o.Children = append(o.Children, supervisor.Spec{Name: job.Name, Props: s.deps.QuietProps("janitor", producer), Breaker: &supervisor.Breaker{}})
	}
	return supervisor.New(o)
}

func (s *System) sweepTokens(ctx context.Context) error {
	swept, err := s.tokens.store.Sweep(ctx, token.SweepOptions{Unclaimed: s.cfg.Tokens.UnclaimedAfter})
	if swept != (token.Swept{}) {
		s.log.Info("token files deleted", "expired", swept.Expired, "unclaimed", swept.Unclaimed,
			"unfinished", swept.Unfinished, "failed", swept.Failed, "more", swept.More)
	}
	return err
}
