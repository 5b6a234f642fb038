package succession

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alone are the settings of a node whose dashboard one node of the cluster runs.
const alone = open + "dashboard: {enabled: true}\nrouting: {unknown_service: \"503\"}\ncluster: {node: %s, start_wait: 10s, singletons: [dashboard.system.information], %s}\n"

// owner returns the nodes that have the singleton, as the daemon sees it.
func (r *running) owner() string {
	var names []string
	for _, n := range r.cluster().Nodes {
		for _, s := range n.Singletons {
			if s.State == "serves" {
				names = append(names, n.Name)
			}
		}
	}
	return strings.Join(names, " ")
}

// An upgrade of the node that runs a singleton leaves it there. When the node is killed another one runs it within 5 s.
func TestSingletonAndUpgrade(t *testing.T) {
	a := run(t, fmt.Sprintf(alone, "a", "listen: \"127.0.0.1:0\""))
	a.configure(fmt.Sprintf(alone, "a", "listen: \""+a.cluster().Bus.Listen+"\""))
	b := run(t, fmt.Sprintf(alone, "b", "listen: \"127.0.0.1:0\", routes: [\""+a.cluster().Bus.Listen+"\"]"))
	serves := func(node string, all ...*running) {
		t.Helper()
		for _, r := range all {
			until(t, node+" serves the singleton\n"+r.Log(), func() bool { return r.owner() == node })
		}
	}
	serves("a", a, b)
	before := b.linked(1, 0)

	a.upgrade()
	until(t, "the new process has joined", func() bool {
		nodes := b.cluster().Nodes
		return len(nodes) == 2 && nodes[1].ID != before && nodes[1].State == "linked"
	})
	serves("a", a, b)
	b.metric("strowger_cluster_singletons_taken_total", 0)
	a.metric("strowger_cluster_singletons", 1)

	begun := time.Now()
	a.killed = true
	_ = syscall.Kill(a.pid, syscall.SIGKILL)
	serves("b", b)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	b.metric("strowger_cluster_singletons_taken_total", 1)
}
