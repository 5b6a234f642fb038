package service_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strowger/system/service"
)

// A whole service: it answers, says something every second and refuses what makes no sense. Package remote
// runs it in a process of its own, package system in a router.
var clock = &service.Service{
	Name: "clock",
	Setup: func(s service.Setup) error {
		s.Handle("now", func(r service.Request) error { r.Reply(r.Now()); return nil })
		service.Handle(s, "in", timeIn)
		s.Every(time.Second, func(c service.Context) { c.Broadcast("tick", c.Now()) })
		return nil
	},
}

// place is the payload of a request.
type place struct {
	Zone string `json:"zone"`
}

// timeIn reads a file, so it works outside of the service's goroutine.
func timeIn(r service.Request, in place) error {
	if in.Zone == "" {
		return service.Errorf(400, "the zone is empty")
	}
	r.Go(func(context.Context) func() {
		zone, err := time.LoadLocation(in.Zone)
		return func() {
			if err != nil {
				r.FailWith(service.Errorf(404, "there is no zone %s", in.Zone))
				return
			}
			r.Reply(r.Now().In(zone))
		}
	})
	return nil
}

func Example() {
	fmt.Println(clock.Name)
	// Output: clock
}

// request stands in for a request in a unit test: it embeds the interface and has the methods that count.
type request struct{ service.Request }

func (request) Reply(payload any) { fmt.Println("200", payload) }

// A handler takes interfaces, so it can be tried without a router. Package servicetest tries a whole service.
func ExampleErrorf() {
	err := timeIn(request{}, place{})
	fmt.Println(err)
	var refusal *service.Error
	fmt.Println(errors.As(err, &refusal), refusal.Status, refusal.Reason)
	// Output:
	// status 400: the zone is empty
	// true 400 the zone is empty
}

func ExampleSubscriber_Has() {
	who := &service.Subscriber{Permissions: []string{"call_active_domain", "call_active_hangup"}}
	fmt.Println(who.Has("call_active_hangup"), who.Has("call_active_all"))
	// Output: true false
}
