package system

import (
	"log/slog"
	"testing"
)

// A singleton may be added to nodes that run. The node that removes it gives it to another one.
func TestDynamicSingleton(t *testing.T) {
	l := newLone()
	var all []*loneNode
	for _, name := range []string{"a", "b"} {
		var routes []string
		for _, s := range all {
			routes = append(routes, takes(s.System))
		}
		n := &loneNode{log: new(syncBuffer)}
		n.System, n.stop = startLogged(t, clusterConfig(t, name, routes...), slog.New(slog.NewTextHandler(n.log, nil)))
		all = append(all, n)
	}
	for _, s := range all {
		linked(t, s.System, 1)
	}
	a, b := all[0], all[1]
	add(t, b.System, l.on("b"))
	serves(t, all, "b")
	add(t, a.System, l.on("a"))
	c := join(t, a.System, user("one.example", nil))
	c.sendf(`{"service":"lone","topic":"who","request_id":"1"}`)
	c.gets(`200 lone/who #"1" "b"`)
	eventually(t, "a would run it", func() bool { return stance(b.System, "stands") == "a" })

	remove(t, b.System, "lone")
	serves(t, all, "a")
	c.sendf(`{"service":"lone","topic":"who","request_id":"2"}`)
	c.gets(`200 lone/who #"2" "a"`)
	if stance(a.System, "stands") != "" || l.nodes() != "a" || l.most != 1 {
		t.Errorf("%q stands, it runs on %q, and has run on %d at once", stance(a.System, "stands"), l.nodes(), l.most)
	}
	// With the last one it is gone.
	remove(t, a.System, "lone")
	if l.nodes() != "" {
		t.Errorf("it runs on %q", l.nodes())
	}
	eventually(t, "no node has it", func() bool { return stance(b.System, "serves") == "" })
	add(t, a.System, l.on("a"))
	serves(t, all, "a")
}
