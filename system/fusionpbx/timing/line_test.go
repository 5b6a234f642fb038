package timing_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// TestLine adds calls in no order, some of them from within a call. They are called in the order in which they are due, with
// one timer.
func TestLine(t *testing.T) {
	var called []string
	h := servicetest.Start(t, &service.Service{Name: "line", Limits: service.Limits{Timers: 1}, Setup: func(s service.Setup) error {
		line := timing.NewLine(s)
		s.Handle("add", func(r service.Request) error {
			note := func(name string) func() { return func() { called = append(called, name) } }
			add := func(ms int) { line.Add(time.Duration(ms)*time.Millisecond, note(fmt.Sprint(ms))) }
			for _, ms := range []int{30, 10, 50, 20, 10, 40} {
				add(ms)
			}
			line.Add(15*time.Millisecond, func() {
				note("15")()
				line.Add(0, note("at once"))
				line.Add(100*time.Millisecond, func() { r.Reply(called) })
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
	at := map[string]int{}
	for i, name := range got {
		at[name] = i
	}
	if len(got) != 8 || at["10"] != 1 || at["15"] != 2 || at["at once"] < at["15"] || at["20"] > at["30"] || at["30"] > at["40"] || at["40"] > at["50"] {
		t.Errorf("called %q", got)
	}
}
