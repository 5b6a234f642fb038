package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"strowger/system/dashboard"
	"strowger/system/demo"
	"strowger/system/demo/page"
	"strowger/system/demo/recorded"
	"strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
)

// show is what the demo does besides routing.
type show struct {
	program *program
	flags   demoFlags
	router  string // HOST:PORT
	tokens  string // directory
	chaos   *demo.Chaos
	log     *slog.Logger
}

// begin serves the page, says what there is to see and lets chaos loose.
func (s *show) begin() (end func(), err error) {
	services := []string{demo.CallsName, demo.ClockName, dashboard.Name}
	subscriptions := append([]string{calls.Name, conferences.Name, recorded.Name}, services...)
	o := page.Options{
		Address: s.flags.page, Router: s.router, Tokens: s.tokens, Log: s.log,
		Users: demo.Users(subscriptions...), Services: services, Victims: []string{demo.CallsName, demo.ClockName},
	}
	if s.flags.chaos {
		o.Chaos = s.flags.interval
	}
	server, err := page.Listen(o)
	if err != nil {
		return nil, fmt.Errorf("%w; --page names another address", err)
	}
	g := &guide{command: s.program.command, page: server.URL(), admin: s.flags.admin, router: s.router, tokens: s.tokens, users: o.Users, chaos: o.Chaos}
	if err := g.print(s.program.stdout); err != nil {
		return nil, errors.Join(err, s.close(server))
	}
	calm := s.letLoose()
	return func() {
		calm()
		if err := s.close(server); err != nil {
			s.log.Error("page did not close", "err", err)
		}
	}, nil
}

// letLoose begins the schedule of faults, if there is one; calm ends it.
func (s *show) letLoose() (calm func()) {
	if !s.flags.chaos {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.chaos.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (s *show) close(server *page.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return server.Close(ctx)
}
