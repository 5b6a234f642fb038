package introspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/supervisor"
)

// find returns the node at a path of a snapshot.
func find(t *testing.T, n Node, path string) *Node {
	t.Helper()
	for at, node := range n.All() {
		if at == path {
			return node
		}
	}
	t.Fatalf("no node %s", path)
	return nil
}

const seconds = time.Second

// Each case is the events of child "a" of the root, and the row they come to, 2 s after the last.
func TestObserve(t *testing.T) {
	boom := errors.New("boom")
	tests := map[string]struct {
		events []supervisor.Event
		want   Node
	}{
		"not seen yet": {nil, Node{State: Starting}},
		"started":      {[]supervisor.Event{&supervisor.ChildStarted{Child: "a", Generation: 1}}, Node{State: Running, Generation: 1}},
		"restarted in place": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.ChildRestarting{Child: "a", InPlace: true},
			&supervisor.ChildUp{Child: "a", Generation: 1, InPlace: true},
		}, Node{State: Running, Generation: 1, Restarts: 1, Failures: 1, Last: &Failure{Reason: "boom"}}},
		"failed": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
		}, Node{State: Failed, Generation: 1, Failures: 1, Last: &Failure{Reason: "boom"}}},
		"restarting in place": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.ChildRestarting{Child: "a", InPlace: true},
		}, Node{State: Restarting, Generation: 1, Failures: 1, Last: &Failure{Reason: "boom"}}},
		"backing off": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.ChildRestarting{Child: "a", In: 5 * seconds},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
		}, Node{State: Waiting, Generation: 1, Failures: 1, Backoff: 3000, Last: &Failure{Reason: "boom"}}},
		"pause over, not up yet": {[]supervisor.Event{
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.ChildRestarting{Child: "a", In: seconds},
		}, Node{State: Waiting, Generation: 1, Failures: 1, Last: &Failure{Reason: "boom"}}},
		"up after a pause": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.ChildRestarting{Child: "a", In: 5 * seconds},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
			&supervisor.ChildUp{Child: "a", Generation: 2},
		}, Node{State: Running, Generation: 2, Restarts: 1, Failures: 1, Last: &Failure{Reason: "boom"}}},
		"start failed": {[]supervisor.Event{
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: &supervisor.StartError{Reason: "no file"}},
			&supervisor.ChildRestarting{Child: "a"},
		}, Node{State: Restarting, Generation: 1, Failures: 1, Last: &Failure{Reason: "start: no file"}}},
		"hung": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildAbandoned{Child: "a", Generation: 1, Reason: supervisor.ErrHung},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: supervisor.ErrHung},
			&supervisor.ChildRestarting{Child: "a"},
			&supervisor.ChildUp{Child: "a", Generation: 2},
		}, Node{State: Running, Generation: 2, Restarts: 1, Failures: 1, Abandoned: 1, Last: &Failure{Reason: "child hangs"}}},
		"ended by itself": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
		}, Node{State: Stopped, Generation: 1}},
		"temporary and failed": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: "x"},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
		}, Node{State: Stopped, Generation: 1, Failures: 1, Last: &Failure{Reason: "x"}}},
		"breaker open": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: boom},
			&supervisor.BreakerOpened{Child: "a", For: 30 * seconds},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
		}, Node{State: Waiting, Generation: 1, Failures: 1, Backoff: 28_000, Breaker: Open, Last: &Failure{Reason: "boom"}}},
		"breaker half-open": {[]supervisor.Event{
			&supervisor.BreakerOpened{Child: "a", For: 30 * seconds},
			&supervisor.BreakerHalfOpened{Child: "a"},
			&supervisor.ChildUp{Child: "a", Generation: 4},
		}, Node{State: Running, Generation: 4, Breaker: HalfOpen}},
		"breaker closed": {[]supervisor.Event{
			&supervisor.BreakerOpened{Child: "a", For: 30 * seconds},
			&supervisor.BreakerHalfOpened{Child: "a"},
			&supervisor.ChildUp{Child: "a", Generation: 4},
			&supervisor.BreakerClosed{Child: "a"},
		}, Node{State: Running, Generation: 4}},
		"an abandoned supervisor reports late": {[]supervisor.Event{
			&supervisor.ChildStarted{Child: "a", Generation: 1},
			&supervisor.ChildStarted{Child: "a", Generation: 2},
			&supervisor.ChildStopped{Child: "a", Generation: 1},
			&supervisor.ChildFailed{Child: "a", Generation: 1, Reason: "late"},
			&supervisor.ChildUp{Child: "a", Generation: 1},
		}, Node{State: Running, Generation: 2, Restarts: 1, Failures: 1, Last: &Failure{Reason: "late"}}},
		"what it does not know": {[]supervisor.Event{&supervisor.MessageIgnored{Type: "string"}, nil}, Node{State: Starting}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clocktest.New()
			tree := NewTree(TreeOptions{Clock: c})
			tree.Add("root/a", "service", nil)
			for _, e := range test.events {
				tree.Observe("root", e)
			}
			at := c.Now()
			c.Advance(2 * seconds)
			want := test.want
			want.Name, want.Kind, want.Since = "a", "service", at
			if want.Breaker == "" {
				want.Breaker = Closed
			}
			if want.Last != nil {
				want.Last = &Failure{At: at, Reason: want.Last.Reason}
			}
			if got := text(t, *find(t, tree.Snapshot(), "root/a")); got != text(t, want) {
				t.Errorf("got\n%s\nwant\n%s", got, text(t, want))
			}
		})
	}
}

func text(t *testing.T, n Node) string {
	t.Helper()
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// outline writes a tree as one line: names, states and what is below in brackets.
func outline(n Node) string {
	line := n.Name + " " + string(n.State)
	if len(n.Children) == 0 {
		return line
	}
	below := make([]string, len(n.Children))
	for i, child := range n.Children {
		below[i] = outline(child)
	}
	return line + " [" + strings.Join(below, ", ") + "]"
}

func TestTreeNests(t *testing.T) {
	tree := NewTree(TreeOptions{})
	tree.Add("root/services/clock", "service", func() int { return 3 })
	tree.Add("root/listeners", "supervisor", nil)
	for i, name := range []string{"services", "listeners"} {
		tree.Observe("root", &supervisor.ChildStarted{Child: name, Generation: uint64(i + 1)})
	}
	tree.Observe("root/services", &supervisor.ChildStarted{Child: "clock", Generation: 1})
	tree.Observe("root/services", &supervisor.ChildStarted{Child: "surprise", Generation: 1})
	got := tree.Snapshot()
	if want := "root running [services running [clock running, surprise running], listeners running]"; outline(got) != want {
		t.Errorf("got %s, want %s", outline(got), want)
	}
	clock := find(t, got, "root/services/clock")
	if clock.Mailbox == nil || *clock.Mailbox != 3 || clock.Kind != "service" {
		t.Errorf("clock is %s", text(t, *clock))
	}
	if other := find(t, got, "root/services/surprise"); other.Mailbox != nil || other.Kind != "actor" {
		t.Errorf("surprise is %s", text(t, *other))
	}
}

func TestTreeFollowsSupervisorsDown(t *testing.T) {
	waiting := func(tree *Tree) {
		tree.Observe("root", &supervisor.ChildStarted{Child: "services", Generation: 1})
		tree.Observe("root/services", &supervisor.ChildStarted{Child: "a", Generation: 1})
		tree.Observe("root/services", &supervisor.ChildFailed{Child: "b", Generation: 1, Reason: "x"})
		tree.Observe("root/services", &supervisor.ChildRestarting{Child: "b", In: time.Hour})
		tree.Observe("root", &supervisor.ChildStarted{Child: "other", Generation: 1})
	}
	tests := map[string]struct {
		path  string
		event supervisor.Event
		want  string
	}{
		"it gives up": {"root/services", &supervisor.ChildGaveUp{Child: "a"},
			"root running [services failed [a running, b stopped], other running]"},
		"it stops": {"root", &supervisor.ChildStopped{Child: "services", Generation: 1},
			"root running [services stopped [a stopped, b stopped], other running]"},
		"it is abandoned": {"root", &supervisor.ChildAbandoned{Child: "services", Generation: 1},
			"root running [services stopped [a stopped, b stopped], other running]"},
		"the root gives up": {"root", &supervisor.ChildGaveUp{Child: "services"},
			"root failed [services running [a running, b waiting], other running]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree := NewTree(TreeOptions{})
			waiting(tree)
			tree.Observe(test.path, test.event)
			if got := outline(tree.Snapshot()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTreeIsBounded(t *testing.T) {
	tests := map[string]struct{ nodes, want int }{
		"by default": {0, 4096},
		"as set":     {10, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree := NewTree(TreeOptions{Nodes: test.nodes})
			for i := range test.want + 5 {
				tree.Observe("root", &supervisor.ChildStarted{Child: fmt.Sprint(i), Generation: 1})
			}
			got := 0
			for range tree.Snapshot().all() {
				got++
			}
			if got != test.want || tree.Omitted() != 6 {
				t.Errorf("%d nodes and %d omitted, want %d and 6", got, tree.Omitted(), test.want)
			}
		})
	}
}

func (n Node) all() func(func(string, *Node) bool) { return n.All() }

func TestTreeRefusesOddPaths(t *testing.T) {
	odd := []string{"", "/", "other", "rootx/a", "root/", "root//a", "root/a//b", "root/a/"}
	tree := NewTree(TreeOptions{})
	for _, path := range odd {
		tree.Add(path, "service", nil)
	}
	if got := outline(tree.Snapshot()); got != "root running" {
		t.Errorf("got %s", got)
	}
	if got := tree.Omitted(); got != uint64(len(odd)) {
		t.Errorf("%d omitted, want %d", got, len(odd))
	}
	tree.Add("root/"+strings.Repeat("n", 10_000), "service", nil)
	if name := tree.Snapshot().Children[0].Name; len(name) > longestText+3 {
		t.Errorf("a name of %d bytes", len(name))
	}
}

func TestAllStops(t *testing.T) {
	tree := NewTree(TreeOptions{})
	tree.Add("root/a/b", "service", nil)
	tree.Add("root/c", "service", nil)
	var seen []string
	snapshot := tree.Snapshot()
	for path := range snapshot.All() {
		seen = append(seen, path)
		if path == "root/a/b" {
			break
		}
	}
	if got := strings.Join(seen, " "); got != "root root/a root/a/b" {
		t.Errorf("saw %s", got)
	}
}

// A depth that waits for the tree's lock shows that it is asked outside of it.
func TestDepthIsAskedOutsideTheLock(t *testing.T) {
	tree := NewTree(TreeOptions{})
	tree.Add("root/a", "service", func() int { return int(tree.Omitted()) })
	if got := find(t, tree.Snapshot(), "root/a").Mailbox; *got != 0 {
		t.Errorf("depth is %d", *got)
	}
}

// An actor that was removed is gone with those below it, and its restarts still count.
func TestRemove(t *testing.T) {
	tree := NewTree(TreeOptions{Nodes: 5})
	tree.Add("root/a/b", "service", nil)
	tree.Add("root/ab", "service", nil)
	up := &supervisor.ChildUp{Child: "a", Generation: 1}
	tree.Observe("root", up)
	tree.Observe("root", up)
	tree.Observe("root", &supervisor.ChildRemoved{Child: "a"})
	snapshot := tree.Snapshot()
	var paths []string
	for path := range snapshot.All() {
		paths = append(paths, path)
	}
	if got := strings.Join(paths, " "); got != "root root/ab" {
		t.Errorf("left: %s", got)
	}
	if got := tree.Restarts(); got != 1 {
		t.Errorf("%d restarts", got)
	}
	for i := range 20 {
		path := fmt.Sprintf("root/s%d", i)
		tree.Add(path, "service", nil)
		tree.Remove(path)
	}
	if got := tree.Omitted(); got != 0 {
		t.Errorf("%d found no room", got)
	}
}
