package supervisor

import (
	"slices"
	"testing"
	"time"
)

// step is one thing done to a supervisor and the events that follow.
type step struct {
	do   string
	want []string
}

// TestRules plays every rule: the steps are done one after the other, and exactly these events
// happen, the last ones before the test ends included.
func TestRules(t *testing.T) {
	abc := []string{"started a-1", "started b-1", "started c-1"}
	lone := []string{"started a-1"}
	restart := func(r Restart) func(*Spec) { return func(s *Spec) { s.Restart = r } }
	tests := map[string]struct {
		o     Options
		steps []step
	}{
		"first failure: in place": {
			Options{Children: workers("a b c", nil)}, []step{{"", abc},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}}}},
		"further failures: doubled pauses up to the cap": {
			Options{Children: workers("a", nil), Intensity: 9, BackoffCap: 300 * time.Millisecond}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in 50ms", "stopped a-1"}},
				{"advance 49ms", nil},
				{"advance 1ms", []string{"up a-2"}},
				{"crash a", []string{"failed a-2: boom", "restarting a in 100ms", "stopped a-2"}},
				{"advance 100ms", []string{"up a-3"}},
				{"crash a", []string{"failed a-3: boom", "restarting a in 150ms", "stopped a-3"}},
				{"advance 150ms", []string{"up a-4"}},
				{"crash a", []string{"failed a-4: boom", "restarting a in 150ms", "stopped a-4"}}}},
		"in place, always": {
			Options{Children: workers("a", func(s *Spec) { s.InPlace = true }), Intensity: 2, Failed: make(chan error, 1)}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in place in 50ms"}},
				{"advance 49ms", nil},
				{"advance 1ms", []string{"up a-1 in place"}},
				{"crash a", []string{"failed a-1: boom", "gave up a after 3: boom", "stopped a-1"}}}},
		"in place, but taken down with its group": {
			Options{Strategy: AllForOne, Children: workers("a b", func(s *Spec) { s.InPlace = true })}, []step{{"", abc[:2]},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "stopped b-1", "up a-1 in place", "up b-2"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in place in 50ms", "stopped b-2"}},
				{"advance 50ms", []string{"up a-1 in place", "up b-3"}}}},
		"in place, unless it ended": {
			Options{Children: workers("a", func(s *Spec) { s.InPlace = true })}, []step{{"", lone},
				{"leave a", []string{"stopped a-1", "failed a-1: permanent child ended", "restarting a in 0s", "up a-2"}}}},
		"a period without a failure: isolated again": {
			Options{Children: workers("a", nil), Period: time.Second}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"advance 1s", nil},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"advance 999ms", nil},
				{"crash a", []string{"failed a-1: boom", "restarting a in 50ms", "stopped a-1"}}}},
		"isolation is counted per child": {
			Options{Children: workers("a b c", nil)}, []step{{"", abc},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}}}},
		"intensity is counted per supervisor": {
			Options{Children: workers("a b c", nil), Intensity: 2, Failed: make(chan error, 1)}, []step{{"", abc},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}},
				{"crash c", []string{"failed c-1: boom", "gave up c after 3: boom", "stopped c-1", "stopped b-1", "stopped a-1"}}}},
		"a failure at the edge of the period counts": {
			Options{Children: workers("a", nil), Intensity: 1, Period: time.Second, Failed: make(chan error, 1)}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"advance 1s", nil},
				{"crash a", []string{"failed a-1: boom", "gave up a after 2: boom", "stopped a-1"}}}},
		"a failure older than the period does not": {
			Options{Children: workers("a", nil), Intensity: 1, Period: time.Second}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"advance 1000000001ns", nil},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}}}},
		"no intensity: the first failure is one too many": {
			Options{Children: workers("a", nil), Intensity: -1, Failed: make(chan error, 1)}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "gave up a after 1: boom", "stopped a-1"}}}},

		"rest_for_one: those after it": {
			Options{Strategy: RestForOne, Children: workers("a b c d", nil)}, []step{{"", append(abc[:3:3], "started d-1")},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "stopped d-1", "stopped c-1",
					"up b-1 in place", "up c-2", "up d-2"}}}},
		"rest_for_one: the pause holds those after it, not those before": {
			Options{Strategy: RestForOne, Children: workers("a b c", nil), Intensity: 9}, []step{{"", abc},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "stopped c-1", "up b-1 in place", "up c-2"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in 50ms", "stopped c-2", "stopped b-1"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"advance 50ms", []string{"up b-2", "up c-3"}}}},
		"all_for_one: all": {
			Options{Strategy: AllForOne, Children: workers("a b c", nil)}, []step{{"", abc},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "stopped c-1", "stopped a-1",
					"up a-2", "up b-1 in place", "up c-2"}}}},
		"all_for_one: the pause holds all": {
			Options{Strategy: AllForOne, Children: workers("a b c", nil)}, []step{{"", abc},
				{"crash c", []string{"failed c-1: boom", "restarting c in place", "stopped b-1", "stopped a-1",
					"up a-2", "up b-2", "up c-1 in place"}},
				{"crash c", []string{"failed c-1: boom", "restarting c in 50ms", "stopped c-1", "stopped b-2", "stopped a-2"}},
				{"advance 49ms", nil},
				{"advance 1ms", []string{"up a-3", "up b-3", "up c-2"}}}},
		"one failure of a group counts once": {
			Options{Strategy: AllForOne, Children: workers("a b c", nil), Intensity: 1, Failed: make(chan error, 1)}, []step{{"", abc},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "stopped c-1", "stopped b-1",
					"up a-1 in place", "up b-2", "up c-2"}},
				{"crash b", []string{"failed b-2: boom", "gave up b after 2: boom", "stopped c-2", "stopped b-2", "stopped a-1"}}}},

		"a group: only its own children restart": {
			Options{Groups: map[string]Strategy{"g": AllForOne, "h": RestForOne}, Children: slices.Concat(workers("a", inGroup("g")), workers("x", nil),
				workers("b", inGroup("g")), workers("c d", inGroup("h"))), Intensity: 9},
			[]step{{"", []string{"started a-1", "started x-1", "started b-1", "started c-1", "started d-1"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "restarting a in 0s", "stopped a-1", "up a-2", "up b-1 in place"}},
				{"crash x", []string{"failed x-1: boom", "restarting x in place", "up x-1 in place"}},
				{"crash d", []string{"failed d-1: boom", "restarting d in place", "up d-1 in place"}},
				{"crash c", []string{"failed c-1: boom", "restarting c in place", "restarting d in 0s", "stopped d-1", "up c-1 in place", "up d-2"}},
				{"crash c", []string{"failed c-1: boom", "restarting c in 50ms", "restarting d in 0s", "stopped d-2", "stopped c-1"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in 50ms", "restarting a in 0s", "stopped b-1", "stopped a-2"}},
				{"advance 50ms", []string{"up c-2", "up d-3", "up a-3", "up b-2"}}}},

		"a group: an open breaker keeps down those that restart with it": {
			Options{Groups: map[string]Strategy{"g": AllForOne, "h": RestForOne}, Children: slices.Concat(
				workers("a", inGroup("g")), grouped(breakers("b"), "g"), workers("c", inGroup("h")), grouped(breakers("d"), "h"), workers("e", inGroup("h"))), Intensity: -1},
			[]step{{"", []string{"started a-1", "started b-1", "started c-1", "started d-1", "started e-1"}},
				{"crash b", []string{"failed b-1: boom", "opened b for 10s", "restarting a in 0s", "stopped b-1", "stopped a-1"}},
				{"crash d", []string{"failed d-1: boom", "opened d for 10s", "restarting e in 0s", "stopped e-1", "stopped d-1"}},
				{"advance 10s", []string{"half-opened b", "up a-2", "up b-2", "half-opened d", "up d-2", "up e-2"}}}},
		"a transient child that has ended stays so when its group restarts": {
			Options{Strategy: RestForOne, Children: append(workers("a", nil), workers("b", restart(Transient))...)}, []step{{"", abc[:2]},
				{"leave b", []string{"stopped b-1"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}}}},

		"permanent: its end is a failure": {
			Options{Children: workers("a", nil)}, []step{{"", lone},
				{"leave a", []string{"stopped a-1", "failed a-1: permanent child ended", "restarting a in 0s", "up a-2"}}}},
		"transient: its end is none": {
			Options{Strategy: AllForOne, Children: workers("a b c", restart(Transient))}, []step{{"", abc},
				{"leave b", []string{"stopped b-1"}},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "stopped c-1", "up a-1 in place", "up c-2"}}}},
		"temporary: a failure ends it, and counts for nothing": {
			Options{Strategy: AllForOne, Children: workers("a b c", restart(Temporary)), Intensity: -1}, []step{{"", abc},
				{"crash b", []string{"failed b-1: boom", "stopped b-1"}},
				{"leave a", []string{"stopped a-1"}}}},
		"temporary: gone with its group": {
			Options{Strategy: AllForOne, Children: append(workers("a", nil), workers("b", restart(Temporary))...)},
			[]step{{"", abc[:2]},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "stopped b-1", "up a-1 in place"}}}},

		"breaker: opens, probes, closes": {
			Options{Children: breakers("a"), Intensity: -1}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "opened a for 10s", "stopped a-1"}},
				{"advance 9999ms", nil},
				{"advance 1ms", []string{"half-opened a", "up a-2"}},
				{"advance 20s", []string{"closed a"}},
				{"crash a", []string{"failed a-2: boom", "opened a for 10s", "stopped a-2"}}}},
		"breaker: a probe that fails opens it again at once": {
			Options{Children: breakers("a"), Intensity: 1}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash a", []string{"failed a-1: boom", "opened a for 10s", "stopped a-1"}},
				{"advance 10s", []string{"half-opened a", "up a-2"}},
				{"advance 19s", nil},
				{"crash a", []string{"failed a-2: boom", "opened a for 10s", "stopped a-2"}},
				{"advance 10s", []string{"half-opened a", "up a-3"}},
				{"advance 20s", []string{"closed a"}},
				{"crash a", []string{"failed a-3: boom", "restarting a in place", "up a-3 in place"}}}},
		"breaker: what was before it opened is forgotten": {
			Options{Children: breakers("a"), Intensity: 1, Period: time.Hour}, []step{{"", lone},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash a", []string{"failed a-1: boom", "opened a for 10s", "stopped a-1"}},
				{"advance 10s", []string{"half-opened a", "up a-2"}},
				{"advance 20s", []string{"closed a"}},
				{"crash a", []string{"failed a-2: boom", "restarting a in place", "up a-2 in place"}}}},
		"breaker: one child's failures are not another's": {
			Options{Children: append(breakers("a b"), workers("c", nil)...), Intensity: 1}, []step{{"", abc},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}},
				{"crash c", []string{"failed c-1: boom", "restarting c in place", "up c-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "opened b for 10s", "stopped b-1"}}}},
		"breaker: a pace of one's own": {
			Options{Children: append(breakers("a"), workers("b", func(s *Spec) {
				s.Breaker = &Breaker{CoolDown: time.Hour}
				s.Pace = Pace{Intensity: 2, Period: time.Second, Backoff: 10 * time.Millisecond, BackoffCap: 10 * time.Millisecond}
			})...), Intensity: -1}, []step{{"", abc[:2]},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in 5ms", "stopped b-1"}},
				{"advance 5ms", []string{"up b-2"}},
				{"advance 1001ms", nil},
				{"crash b", []string{"failed b-2: boom", "restarting b in place", "up b-2 in place"}},
				{"crash a", []string{"failed a-1: boom", "opened a for 10s", "stopped a-1"}},
				{"crash b", []string{"failed b-2: boom", "restarting b in 5ms", "stopped b-2"}},
				{"advance 5ms", []string{"up b-3"}},
				{"crash b", []string{"failed b-3: boom", "opened b for 1h0m0s", "stopped b-3"}}}},
		"pace without a breaker: the child is counted by itself, and given up": {
			Options{Children: append(workers("a", nil), workers("b", func(s *Spec) {
				s.Pace = Pace{Intensity: 2, Period: time.Second, Backoff: 10 * time.Millisecond, BackoffCap: 10 * time.Millisecond}
			})...), Intensity: 1, Failed: make(chan error, 1)}, []step{{"", abc[:2]},
				{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in 5ms", "stopped b-1"}},
				{"advance 5ms", []string{"up b-2"}},
				{"advance 1001ms", nil},
				{"crash b", []string{"failed b-2: boom", "restarting b in place", "up b-2 in place"}},
				{"crash b", []string{"failed b-2: boom", "restarting b in 5ms", "stopped b-2"}},
				{"advance 5ms", []string{"up b-3"}},
				{"crash b", []string{"failed b-3: boom", "gave up b after 3: boom", "stopped b-3", "stopped a-1"}}}},
		"breaker: open, it holds those after it": {
			Options{Strategy: RestForOne, Children: append(breakers("a"), workers("b", nil)...), Intensity: -1},
			[]step{{"", abc[:2]},
				{"crash a", []string{"failed a-1: boom", "opened a for 10s", "stopped b-1", "stopped a-1"}},
				{"advance 10s", []string{"half-opened a", "up a-2", "up b-2"}}}},

		"shutdown: the last first": {
			Options{Children: workers("a b c", nil)}, []step{{"", abc},
				{"shutdown", []string{"stopped c-1", "stopped b-1", "stopped a-1"}}}},
		"shutdown: a pause ends with it": {
			Options{Children: workers("a b c", nil)}, []step{{"", abc},
				{"crash b", []string{"failed b-1: boom", "restarting b in place", "up b-1 in place"}},
				{"crash b", []string{"failed b-1: boom", "restarting b in 50ms", "stopped b-1"}},
				{"shutdown", []string{"stopped c-1", "stopped a-1"}},
				{"advance 1h", nil}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(test.o)
			for _, step := range test.steps {
				b.do(step.do)
				b.want(step.want...)
			}
			over := slices.ContainsFunc(test.steps, func(s step) bool { return s.do == "shutdown" })
			if test.o.Failed == nil && !over {
				b.quiet()
				return
			}
			b.gone(b.pid)
			if more := b.rest(); len(more) > 0 {
				t.Fatalf("more events: %q", more)
			}
			if n := b.clock.Timers(); n != 0 {
				t.Errorf("%d timers left", n)
			}
		})
	}
}

// breakers returns children that have one, which cools down for 10 s and is quiet for 20 s.
func breakers(names string) []Spec {
	return workers(names, func(s *Spec) {
		s.Breaker = &Breaker{CoolDown: 10 * time.Second, Quiet: 20 * time.Second}
	})
}

func inGroup(name string) func(*Spec) { return func(s *Spec) { s.Group = name } }

// grouped puts children into a group.
func grouped(specs []Spec, group string) []Spec {
	for i := range specs {
		specs[i].Group = group
	}
	return specs
}
