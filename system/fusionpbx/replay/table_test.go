package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"strowger/system/fusionpbx/replay"
)

// recorder is a test that notes how it fails.
type recorder struct {
	testing.TB
	failures []string
	log      []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Logf(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func TestTable(t *testing.T) {
	table := replay.Table{
		{Number: "A1", Reason: "one", Match: func(d replay.Difference) bool { return d.Topic == "one" }},
		{Reason: "two", Match: func(d replay.Difference) bool { return d.Topic == "two" }},
	}
	one, two, three := replay.Difference{Topic: "one"}, replay.Difference{Topic: "two"}, replay.Difference{Scenario: "s", Kind: replay.Push, Topic: "three", Key: "k", Want: "1"}
	tests := map[string]struct {
		found []replay.Difference
		want  []string
	}{
		"as expected":              {[]replay.Difference{one, two, one}, nil},
		"one that nobody expects":  {[]replay.Difference{one, two, three}, []string{"unexpected difference: s: push  three k: want 1, got nothing"}},
		"one that does not occur":  {[]replay.Difference{two}, []string{"expected difference does not occur: one"}},
		"many that nobody expects": {slices.Repeat([]replay.Difference{three}, 60), []string{"and 10 more"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			table.Check(r, test.found)
			for _, want := range test.want {
				if !slices.Contains(r.failures, want) {
					t.Errorf("no failure %q in %q", want, r.failures)
				}
			}
			if len(test.want) == 0 && len(r.failures) > 0 {
				t.Errorf("failures %q", r.failures)
			}
			if len(r.log) != 2 || !strings.Contains(r.log[0], "A1") {
				t.Errorf("log %q", r.log)
			}
		})
	}
}

// TestSame wants two runs of a scenario to be the same in everything.
func TestSame(t *testing.T) {
	const scenario = "panel-default-context"
	var runs []string
	for range 2 {
		r := replay.Play(t, replay.Load(t, testdata, scenario), replay.Options{}, forwarder(t, nothing))
		runs = append(runs, fmt.Sprint(r.Compare(t)))
	}
	if runs[0] != runs[1] {
		t.Errorf("the first run gave\n%s\nthe second\n%s", runs[0], runs[1])
	}
}
