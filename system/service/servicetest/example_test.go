package servicetest_test

import (
	"testing"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// The body of a test of a service. It is not run here, as an example has no testing.T.
func ExampleStart() {
	var t *testing.T
	echo := &service.Service{Name: "echo", Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		return nil
	}}
	c := servicetest.Start(t, echo, servicetest.Options{}).Call(t)
	c.Send("say", `"1"`, `"hello"`)
	if m := servicetest.NextBut(c); m.Status != 200 || string(m.Payload) != `"hello"` {
		t.Errorf("got %d %s", m.Status, m.Payload)
	}
}
