package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"strowger/config"
	"strowger/system/internal/introspect"
	"strowger/system/service"
)

// takeover is how long a cluster may take until another node runs a singleton.
const takeover = 5 * time.Second

// lone counts where a singleton runs. Its services answer with the name of their node.
type lone struct {
	mu     sync.Mutex // Protects following.
	runs   map[string]int
	most   int // nodes that have run it at once
	breaks map[string]bool
	setups int
}

func newLone() *lone { return &lone{runs: map[string]int{}, breaks: map[string]bool{}} }

// on returns the service for one node.
func (l *lone) on(node string) *service.Service {
	return &service.Service{Name: "lone", Singleton: true, Setup: func(s service.Setup) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.setups++
		if l.breaks[node] {
			return errors.New("it does not work here")
		}
		l.runs[node]++
		l.most = max(l.most, l.total())
		s.OnStop(func(service.Context) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.runs[node]--
		})
		s.Handle("who", func(r service.Request) error { r.Reply(node); return nil })
		s.Handle("later", func(r service.Request) error {
			r.Go(func(context.Context) func() {
				<-time.After(5 * time.Millisecond)
				return func() { r.Reply(node) }
			})
			return nil
		})
		s.Handle("say", func(r service.Request) error { r.Broadcast("SAID", node); r.Reply(nil); return nil })
		s.Handle("crash", func(service.Request) error { panic("as the test wants it") })
		return nil
	}}
}

func (l *lone) total() int {
	n := 0
	for _, running := range l.runs {
		n += running
	}
	return n
}

// nodes returns where it runs now, in the order of the names.
func (l *lone) nodes() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, name := range []string{"a", "b", "c"} {
		for range l.runs[name] {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func (l *lone) breakOn(node string, breaks bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaks[node] = breaks
}

// loneNode is a node with the singleton, as a test drives it.
type loneNode struct {
	*System
	stop func()
	log  *syncBuffer
}

// startLone starts a node. Change may be nil.
func (l *lone) startNode(t *testing.T, cfg *config.Config) *loneNode {
	t.Helper()
	n := &loneNode{log: new(syncBuffer)}
	cfg.Admin.Address = "127.0.0.1:0"
	n.System, n.stop = startLogged(t, cfg, slog.New(slog.NewTextHandler(n.log, nil)), l.on(cfg.Cluster.Node))
	return n
}

// world starts nodes that are linked.
func (l *lone) world(t *testing.T, n int) []*loneNode {
	t.Helper()
	var all []*loneNode
	for i := range n {
		var routes []string
		for _, s := range all {
			routes = append(routes, takes(s.System))
		}
		all = append(all, l.startNode(t, clusterConfig(t, string(rune('a'+i)), routes...)))
	}
	for _, s := range all {
		linked(t, s.System, n-1)
	}
	return all
}

// serves waits until all nodes see that one of them serves the singleton.
func serves(t *testing.T, all []*loneNode, node string) {
	t.Helper()
	for _, s := range all {
		eventually(t, node+" serves the singleton, as "+s.cluster.node+" sees it", func() bool { return stance(s.System, "serves") == node })
	}
}

// stance returns the nodes whose stance to the singleton is the one given, as s sees it.
func stance(s *System, is string) string {
	var names []string
	for _, n := range s.source().Cluster().Nodes {
		for _, one := range n.Singletons {
			if one.Name == "lone" && one.State == is {
				names = append(names, n.Name)
			}
		}
	}
	return strings.Join(names, " ")
}

// Of three nodes with a singleton one runs it, and clients of all nodes are answered by that one and hear it.
func TestSingletonRunsOnOneNode(t *testing.T) {
	l := newLone()
	all := l.world(t, 3)
	serves(t, all, "a")
	var clients []*peer
	for _, s := range all {
		clients = append(clients, join(t, s.System, user("one.example", nil, "lone")))
		offered(t, s.System, "lone", map[bool]int{true: 1}[s != all[0]])
	}
	for i, c := range clients {
		c.sendf(`{"service":"lone","topic":"who","request_id":"%d"}`, i)
		c.gets(fmt.Sprintf(`200 lone/who #"%d" "a"`, i))
	}
	clients[1].sendf(`{"service":"lone","topic":"say"}`)
	for _, c := range clients {
		c.gets(`"" lone/SAID #"" "a"`)
	}
	if l.most != 1 || l.setups != 1 || l.nodes() != "a" {
		t.Errorf("it runs on %q, has run on %d at once, and was set up %d times", l.nodes(), l.most, l.setups)
	}
	for _, s := range all {
		if err := s.Ready(); err != nil {
			t.Error(err)
		}
		want := "strowger_cluster_singletons 0\n"
		if s == all[0] {
			want = "strowger_cluster_singletons 1\n"
		}
		if text := page(t, s.System, "/metrics"); !strings.Contains(text, want) {
			t.Errorf("the metrics of %s lack %q", s.cluster.node, want)
		}
		var shown introspect.Cluster
		if err := json.Unmarshal([]byte(page(t, s.System, "/cluster")), &shown); err != nil || len(shown.Nodes) != 3 || len(shown.Nodes[2].Singletons) != 1 {
			t.Errorf("%s shows %+v, %v", s.cluster.node, shown, err)
		}
	}
	if state := all[1].services.get("lone").instance.State().Condition; state != service.Standby {
		t.Errorf("on b it is %s", state)
	}
}

// The node that runs a singleton dies without a word. Another one runs it within 5 s, and its clients are answered.
func TestSingletonOfANodeThatDies(t *testing.T) {
	l := newLone()
	all := l.world(t, 3)
	serves(t, all, "a")
	c := join(t, all[2].System, user("one.example", nil, "lone"))
	begun := time.Now()
	all[0].cluster.bus.Close() // it says nothing any more, as if its machine had lost its power
	serves(t, all[1:], "b")
	if took := time.Since(begun); took > takeover {
		t.Errorf("it took %v", took)
	}
	c.sendf(`{"service":"lone","topic":"who","request_id":"1"}`)
	for {
		if e := c.next(); string(e.RequestID) == `"1"` {
			if e.String() != `200 lone/who #"1" "b"` {
				t.Errorf("got %s", e)
			}
			break
		}
	}
	if !strings.Contains(all[1].log.String(), `msg="this node takes a singleton" service=lone cause="node a: it has been silent for 2.5s"`) {
		t.Errorf("the log of b:\n%s", all[1].log)
	}
}

// asking has clients ask a node all the time. The returned function ends that and returns how many answers came.
func asking(t *testing.T, s *System, clients int) (stop func() int64, answers *atomic.Int64) {
	t.Helper()
	answers = new(atomic.Int64)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range clients {
		c, err := dial(s, mint(t, s.running.Load().Tokens.Directory, user("one.example", nil, "lone")), nil)
		if err != nil {
			t.Fatal(err)
		}
		topic := []string{"who", "later"}[i%2]
		all.Go(func() {
			defer c.Close()
			for ctx.Err() == nil {
				if _, err := c.Request(context.Background(), "lone", topic, nil); err != nil {
					t.Errorf("request %s to %s: %v", topic, s.cluster.node, err)
					return
				}
				answers.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int64 {
		cancel()
		all.Wait()
		return answers.Load()
	})
	t.Cleanup(func() { stop() })
	return stop, answers
}

// The node that runs a singleton stops. It gives it to another one first: no request of a client of other nodes fails,
// and the two never run at once.
func TestSingletonMovesBeforeItsNodeStops(t *testing.T) {
	l := newLone()
	all := l.world(t, 3)
	serves(t, all, "a")
	_, atB := asking(t, all[1].System, 4)
	_, atC := asking(t, all[2].System, 4)
	more := func(n int64) {
		t.Helper()
		b, c := atB.Load(), atC.Load()
		eventually(t, "requests are answered", func() bool { return t.Failed() || atB.Load() >= b+n && atC.Load() >= c+n })
	}
	more(100)
	all[0].stop()
	serves(t, all[1:], "b")
	more(100)
	all[1].stopSingleton(t)
	serves(t, all[1:], "c")
	more(100)
	if l.most != 1 || l.setups != 3 {
		t.Errorf("it has run on %d nodes at once, and was set up %d times", l.most, l.setups)
	}
	if log := all[0].log.String(); !strings.Contains(log, `msg="a singleton has moved" service=lone node=b`) {
		t.Errorf("the log of a:\n%s", log)
	}
}

// stopSingleton does as an operator who stops the service on the node.
func (n *loneNode) stopSingleton(t *testing.T) {
	t.Helper()
	if err := (shown{n.System}).Order(t.Context(), "lone", "stop"); err != nil {
		t.Fatal(err)
	}
}

// An operator orders what is possible on each node, and no more.
func TestOperatorMovesASingleton(t *testing.T) {
	l := newLone()
	all := l.world(t, 2)
	a, b := shown{all[0].System}, shown{all[1].System}
	serves(t, all, "a")
	for _, deed := range []string{"start", "restart", "reset"} {
		if err := b.Order(t.Context(), "lone", deed); err == nil || !strings.Contains(err.Error(), "node a has it") {
			t.Errorf("%s on b: %v", deed, err)
		}
	}
	if err := a.Order(t.Context(), "lone", "stop"); err != nil {
		t.Fatal(err)
	}
	serves(t, all, "b")
	if err := a.Order(t.Context(), "lone", "stop"); err == nil {
		t.Error("it is stopped twice")
	}
	if err := a.Order(t.Context(), "lone", "start"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a stands by", func() bool { return stance(all[1].System, "stands") == "a" })
	if err := b.Order(t.Context(), "lone", "stop"); err != nil {
		t.Fatal(err)
	}
	serves(t, all, "a")
	if err := a.Order(t.Context(), "lone", "stop"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs nowhere", func() bool { return l.nodes() == "" && stance(all[0].System, "serves") == "" })
	if err := b.Order(t.Context(), "lone", "start"); err != nil {
		t.Fatal(err)
	}
	serves(t, all, "b")
	if l.most != 1 {
		t.Errorf("it has run on %d nodes at once", l.most)
	}
}

// Supervision is a node's own: one that panics is restarted there. When its breaker opens another node takes it, and the
// first one only when the other fails.
func TestSingletonThatDoesNotWork(t *testing.T) {
	l := newLone()
	all := l.world(t, 2)
	serves(t, all, "a")
	c := join(t, all[1].System, user("one.example", nil, "lone"))
	c.sendf(`{"service":"lone","topic":"crash","request_id":"1"}`)
	for e := c.next(); string(e.RequestID) != `"1"`; e = c.next() {
	}
	eventually(t, "it is up again", func() bool {
		s := all[0].services.get("lone").instance.State()
		return s.Restarts == 1 && s.Condition == service.Up
	})
	if stance(all[1].System, "serves") != "a" {
		t.Error("a restart moves it")
	}
	l.breakOn("a", true)
	ask := join(t, all[1].System, user("one.example", nil))
	ask.sendf(`{"service":"lone","topic":"crash","request_id":"2"}`)
	ask.gets(`500 lone/crash #"2" null`)
	serves(t, all, "b")
	ask.sendf(`{"service":"lone","topic":"who","request_id":"3"}`)
	ask.gets(`200 lone/who #"3" "b"`)
	if log := all[0].log.String(); !strings.Contains(log, `msg="this node gives a singleton up" service=lone cause="it does not work here, and node b has taken it"`) {
		t.Errorf("the log of a:\n%s", log)
	}
}

// natsAt returns the settings of a node that reaches an external NATS by a proxy.
func natsAt(t *testing.T, node string, p *tollgate) *config.Config {
	t.Helper()
	cfg := outsideConfig(t, node, p.address())
	cfg.Cluster.StartWait = 100 * time.Millisecond
	return cfg
}

// A node is cut off and returns. Meanwhile both sides run the singleton for their own clients. Soon after it one does, and
// clients of all nodes are answered.
func TestSingletonOnBothSidesOfANetwork(t *testing.T) {
	address, _ := externalNATS(t, natsserver.RANDOM_PORT, nil)
	l := newLone()
	var gates []*tollgate
	var all []*loneNode
	for _, name := range []string{"a", "b", "c"} {
		g := newTollgate(t, address)
		gates, all = append(gates, g), append(all, l.startNode(t, natsAt(t, name, g)))
	}
	serves(t, all, "a")
	gates[0].cut()
	eventually(t, "both sides run it", func() bool { return l.nodes() == "a b" })
	serves(t, all[:1], "a")
	serves(t, all[1:], "b")
	answered := func(want ...string) {
		t.Helper()
		for i, s := range all {
			c := join(t, s.System, user("one.example", nil))
			c.sendf(`{"service":"lone","topic":"who","request_id":"1"}`)
			c.gets(fmt.Sprintf(`200 lone/who #"1" %q`, want[i]))
			c.leave()
		}
	}
	answered("a", "b", "b")
	gates[0].heal()
	serves(t, all, "a")
	eventually(t, "one runs it", func() bool { return l.nodes() == "a" && stance(all[0].System, "stands") == "b c" })
	for _, s := range all {
		linked(t, s.System, 2)
		offered(t, s.System, "lone", map[bool]int{true: 1}[s != all[0]])
	}
	answered("a", "a", "a")
	if log := all[1].log.String(); !strings.Contains(log, `msg="this node gives a singleton up" service=lone cause="node a has it too, and comes first"`) {
		t.Errorf("the log of b:\n%s", log)
	}
}

// A router that is alone runs a singleton as any other service.
func TestSingletonOfARouterThatIsAlone(t *testing.T) {
	l := newLone()
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy, cfg.Cluster.Singletons = "allow", []string{"lone"}
	s := start(t, cfg, l.on("a"))
	c := join(t, s, user("one.example", nil))
	c.sendf(`{"service":"lone","topic":"who","request_id":"1"}`)
	c.gets(`200 lone/who #"1" "a"`)
}

// A node that is the only one of its cluster runs its singletons soon after its start, without and with a bus.
func TestSingletonOfTheOnlyNode(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"with a bus": func(*config.Config) {},
		"without a bus": func(cfg *config.Config) {
			cfg.Cluster.Listen, cfg.Cluster.Secret, cfg.Cluster.NATS = "", "", []string{"127.0.0.1:1"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLone()
			cfg := clusterConfig(t, "a")
			cfg.Cluster.StartWait = 0
			change(cfg)
			s := l.startNode(t, cfg)
			serves(t, []*loneNode{s}, "a")
		})
	}
}

// The setting makes a singleton of a service whose author did not, and says what it cannot make one of.
func TestSingletonsBySetting(t *testing.T) {
	plain := func(name string) *service.Service {
		return &service.Service{Name: name, Setup: func(service.Setup) error { return nil }}
	}
	everywhere, both := plain("everywhere"), plain("both")
	everywhere.Everywhere, both.Everywhere, both.Singleton = true, true, true
	for _, c := range []struct {
		names  []string
		list   []*service.Service
		groups []service.Group
		want   string
	}{
		{[]string{"plain"}, []*service.Service{plain("plain")}, nil, ""},
		{[]string{"gone"}, []*service.Service{plain("plain")}, nil, `cluster.singletons: there is no service "gone" in this process`},
		{[]string{"everywhere"}, []*service.Service{everywhere}, nil, `service "everywhere": it runs everywhere, so it cannot be a singleton`},
		{nil, []*service.Service{both}, nil, `service "both": it runs everywhere, so it cannot be a singleton`},
		{[]string{"plain"}, []*service.Service{plain("plain")}, []service.Group{{Name: "g", Services: []string{"plain"}}}, `service "plain": it is in the group "g", so it cannot be a singleton`},
	} {
		cfg := clusterConfig(t, "a")
		cfg.Cluster.Singletons = c.names
		s, err := New(Options{Config: cfg, Groups: c.groups}, c.list...)
		if text := fmt.Sprint(err); err == nil != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%v: New returns %v, want %q", c.names, err, c.want)
		}
		if err == nil && s.services.get("plain").single == nil {
			t.Errorf("%v: it is none", c.names)
		}
		_ = s.Stop(t.Context())
	}
}

// A stop waits for another node no longer than cluster.singleton_wait. Requests that wait get 503 then.
func TestSingletonThatNobodyTakes(t *testing.T) {
	l := newLone()
	all := l.world(t, 2)
	serves(t, all, "a")
	all[0].cfg.Cluster.SingletonWait = 300 * time.Millisecond
	l.breakOn("b", true)
	o := all[1].services.get("lone").single
	o.end.Do(func() { close(o.quit) }) // b has it, but does not start it
	<-o.done
	c := join(t, all[1].System, user("one.example", nil))
	all[0].stopSingleton(t)
	eventually(t, "requests wait", func() bool {
		all[0].services.get("lone").single.mu.Lock()
		defer all[0].services.get("lone").single.mu.Unlock()
		return all[0].services.get("lone").single.holding
	})
	c.sendf(`{"service":"lone","topic":"who","request_id":"1"}`)
	c.gets(`503 lone/who #"1" null`)
	eventually(t, "the log says so", func() bool {
		return strings.Contains(all[0].log.String(), `msg="no node has taken a singleton in time" service=lone`) && strings.Contains(all[0].log.String(), "setting=cluster.singleton_wait")
	})
}

// A singleton that is taken away while it starts was offered to nobody, so no name stays of an instance that leaves.
func TestSingletonIsTakenWhileItStarts(t *testing.T) {
	starts, goOn := make(chan struct{}), make(chan struct{})
	t.Cleanup(sync.OnceFunc(func() { close(goOn) }))
	cfg := clusterConfig(t, "a")
	cfg.Cluster.StartWait = 0
	s := start(t, cfg, &service.Service{Name: "lone", Singleton: true, Setup: func(service.Setup) error {
		close(starts)
		<-goOn
		return nil
	}})
	await(t, "it starts", starts)
	if err := (shown{s}).Order(t.Context(), "lone", "stop"); err != nil {
		t.Fatal(err)
	}
	o := s.services.get("lone").single
	eventually(t, "it is to stop", o.standby.Load)
	goOn <- struct{}{}
	eventually(t, "it has stopped", func() bool { return o.home.instance.State().Condition == service.Standby })
	eventually(t, "no name is left", func() bool { return s.deps.Registry.Lookup("lone") == nil })
}

// What waits while a singleton moves has the bound of the service's mailbox.
func TestRequestsThatWaitForASingletonAreBounded(t *testing.T) {
	l := newLone()
	all := l.world(t, 2)
	serves(t, all, "a")
	h := all[0].services.get("lone")
	h.instance.Service().Limits.Mailbox = 3
	h.single.hold(true)
	c := join(t, all[1].System, user("one.example", nil))
	for i := range 4 {
		c.sendf(`{"service":"lone","topic":"who","request_id":"%d"}`, i)
	}
	c.gets(`200 lone/who #"3" "a"`) // there was no room, and it still runs
	eventually(t, "the others wait", func() bool {
		h.single.mu.Lock()
		defer h.single.mu.Unlock()
		return len(h.single.held) == 3
	})
}
