package process

import (
	"errors"
	"fmt"
	"os"
	"time"

	"strowger/system/internal/runner"
	"strowger/system/service"
)

// Service returns a service that runs svc in a child process, one for each start. It has the name, the policy and the limits
// of svc. A nil svc gives nil, which no home takes; wrong options are an error of each start.
//
// In the child Service does not return if svc has the name that the child is for: it runs svc and ends the process. There, a
// service of another name is returned as one that does not start.
//
// These are different from a service in this process: Context.Now and timers go by the machine's clock, whatever clock the
// home has. The context of a request has no values of this process, such as a trace. A dead letter has the request that the
// child was in when it said why it failed; if the child could not say, the dead letter has the last of what it wrote to its
// standard error in place of a stack.
func Service(svc *service.Service, o Options) *service.Service {
	if svc == nil {
		return nil
	}
	if own != nil && svc.Name == own.name {
		os.Exit(own.run(svc))
	}
	outer := *svc
	v := &outer.Supervision
	if svc.Setup == nil {
		return &outer // a home says what is wrong with it
	}
	o, err := o.withDefaults()
	w := &wrapper{service: svc, o: o}
	outer.Setup = w.setup
	if own != nil {
		err = errors.Join(err, fmt.Errorf("this process is for service %q alone", own.name))
	}
	if err != nil {
		outer.Setup = func(service.Setup) error { return fmt.Errorf("process: %w", err) }
		return &outer
	}
	w.supervision()
	// The home's calls wait for the child to start and to stop.
	v.PingTimeout = max(w.v.PingTimeout, o.StartTimeout+grace)
	v.StopTimeout = w.v.StopTimeout + 3*grace
	v.WorkTimeout = 0
	return &outer
}

// Main does nothing, unless this process is the child of a program that has called Service. Then it runs the one of
// services that the child is for, ends the process and does not return. A program calls it before it does what must not
// be done twice. Without Main the child comes to the same call of Service as its parent.
//
// If the service that the child is for is not among services, the child ends at once, and its start has failed. If the child
// calls neither Main nor Service for it, it is killed after Options.StartTimeout.
func Main(services ...*service.Service) {
	if own == nil {
		return
	}
	for _, svc := range services {
		if svc != nil && svc.Name == own.name {
			os.Exit(own.run(svc))
		}
	}
	fmt.Fprintf(os.Stderr, "process.Main: the program gives it no service %q\n", own.name)
	os.Exit(exitFailed)
}

// How the child ends.
const (
	exitFailed   = 3
	exitOrphaned = 4
)

// grace is how long something may take that takes no time unless the machine is very busy.
const grace = time.Second

// wrapper is a service in its parent.
type wrapper struct {
	service *service.Service
	v       service.Supervision // of service, with the defaults that are needed here
	o       Options
}

// supervision fills in what the parent has to know.
func (w *wrapper) supervision() {
	w.v = w.service.Supervision
	for _, d := range []struct {
		field *time.Duration
		zero  time.Duration
	}{{&w.v.PingEvery, 5 * time.Second}, {&w.v.PingTimeout, 10 * time.Second}, {&w.v.StopTimeout, 5 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.zero
		}
	}
}

// setup starts a child and waits until the service is up in it.
func (w *wrapper) setup(s service.Setup) error {
	home, ok := s.(*runner.Setup)
	if !ok {
		return errors.New("process: the service is not in a home")
	}
	c, err := start(w, home)
	if err != nil {
		return fmt.Errorf("process: %w", err)
	}
	c.awaitUp()
	home.Relay(c)
	s.OnReload(func(service.Context) { c.queue.put(newFrame(frameReload, 0)) })
	s.OnJoin(func(service.Context) { c.queue.put(newFrame(frameJoined, 0)) })
	s.OnStop(func(service.Context) { c.stop() })
	s.Source("process", c.wait, func(service.Context, any) {})
	return nil
}
