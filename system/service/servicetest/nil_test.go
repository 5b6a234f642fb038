package servicetest_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// misuse has the name of a misuse in the process that is to fail at it.
const misuse = "SERVICETEST_MISUSE"

// misuses are what a test's author may get wrong, with what the test then says.
func misuses() map[string]struct {
	do   func(t *testing.T)
	want string
} {
	setup := func(service.Setup) error { return nil }
	return map[string]struct {
		do   func(t *testing.T)
		want string
	}{
		"no service":    {func(t *testing.T) { servicetest.Start(t, nil, servicetest.Options{}) }, "the service is nil"},
		"empty service": {func(t *testing.T) { servicetest.Start(t, &service.Service{}, servicetest.Options{}) }, "name is empty"},
		"wrong option": {func(t *testing.T) {
			servicetest.Start(t, &service.Service{Name: "a", Setup: setup}, servicetest.Options{Pool: -1})
		}, "pool is -1"},
		"nil handler": {func(t *testing.T) {
			servicetest.Start(t, &service.Service{Name: "a", Setup: func(s service.Setup) error { s.Handle("b", nil); return nil },
				Supervision: service.Supervision{Intensity: -1}}, servicetest.Options{})
		}, `service "a" does not start: service "a": setup: Handle: function is nil`},
		"no start": {func(t *testing.T) { servicetest.Run(t, nil) }, "start is nil"},
		"no home": {func(t *testing.T) {
			servicetest.Run(t, func(*testing.T, *service.Service) servicetest.Home { return nil })
		}, "start has returned no home"},
		"no envelope": {func(t *testing.T) { servicetest.MessageOf(t, nil) }, "the envelope is nil"},
	}
}

// TestMisuseFails is the test that fails, in a process of its own.
func TestMisuseFails(t *testing.T) {
	name := os.Getenv(misuse)
	if name == "" {
		t.Skip("only for TestMisuse")
	}
	misuses()[name].do(t)
}

// TestMisuse: the test fails at the mistake, with its name and at once, and does not panic.
func TestMisuse(t *testing.T) {
	for name, test := range misuses() {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestMisuseFails$")
			cmd.Env = append(os.Environ(), misuse+"="+name)
			output, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) {
				t.Fatalf("ended with %v, want a failure", err)
			}
			if text := string(output); !strings.Contains(text, test.want) || strings.Contains(text, "panic") {
				t.Errorf("want %q:\n%s", test.want, text)
			}
		})
	}
}

// TestNilArguments are those that stand for something.
func TestNilArguments(t *testing.T) {
	h := servicetest.Start(t, &service.Service{Name: "a", Setup: func(s service.Setup) error {
		s.Handle("b", func(r service.Request) error { r.Reply(nil); return nil })
		return nil
	}}, servicetest.Options{})
	c := h.Call(nil)
	c.Send("b", "1", "")
	if m := servicetest.NextBut(c); m.Status != 200 {
		t.Errorf("got %+v", m)
	}
	h.Stop(nil)
	if m := servicetest.NextBut(nil); m.Topic != "" {
		t.Errorf("nobody got %+v", m)
	}
}
