package timing_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// TestQueue adds calls in no order, some of them from within a call. They are called in the order in which they are due, with
// one timer.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called []string
		h := servicetest.Start(t, &service.Service{Name: "queue", Limits: service.Limits{Timers: 1}, Setup: func(s service.Setup) error {
			queue := timing.NewQueue(s)
			s.Handle("add", func(r service.Request) error {
				begin := r.Now()
				note := func(name string) func() {
					return func() { called = append(called, fmt.Sprint(name, " after ", r.Now().Sub(begin))) }
				}
				for i, ms := range []int{30, 10, 50, 20, 10, 40} {
					queue.Add(time.Duration(ms)*time.Millisecond, note(fmt.Sprint("call ", i)))
				}
				queue.Add(15*time.Millisecond, func() {
					note("outer")()
					queue.Add(0, note("inner"))
					queue.Add(100*time.Millisecond, func() { r.Reply(called) })
				})
				return nil
			})
			return nil
		}}, servicetest.Options{})
		c := h.Call(t)
		c.Send("add", `1`, "")
		m := servicetest.NextBut(c)
		var got []string
		if err := json.Unmarshal(m.Payload, &got); err != nil {
			t.Fatal(err)
		}
		want := []string{"call 1 after 10ms", "call 4 after 10ms", "outer after 15ms", "inner after 15ms", "call 3 after 20ms",
			"call 0 after 30ms", "call 5 after 40ms", "call 2 after 50ms"}
		if !slices.Equal(got, want) {
			t.Errorf("called %q, want %q", got, want)
		}
	})
}
