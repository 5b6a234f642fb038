package demo

import (
	"time"

	"strowger/config/policy"
	"strowger/system/service"
)

// ClockName is what clients call the clock.
const ClockName = "demo.clock"

// reading is what the clock says.
type reading struct {
	Time time.Time `json:"time"`
}

// Clock returns a service that broadcasts tick every second and answers now. Everybody may ask it.
func Clock(o Options) *service.Service {
	o = o.withDefaults()
	v := o.Chaos.victim(ClockName)
	return &service.Service{
		Name:           ClockName,
		Policy:         clockPolicy(),
		RequestTimeout: 5 * time.Second,
		Supervision:    supervision(),
		Setup: func(s service.Setup) error {
			v.join(s)
			s.Handle("now", v.guard(func(r service.Request) error { r.Reply(reading{r.Now()}); return nil }))
			s.Every(time.Second, func(c service.Context) { c.Broadcast("tick", reading{c.Now()}) })
			return nil
		},
	}
}

func clockPolicy() *policy.Policy {
	return &policy.Policy{
		Scopes:   []policy.Scope{{To: policy.All}},
		Requests: map[string][]string{chaosTopic: {ChaosPermission}},
	}
}
