package system

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"strowger/config"
	"strowger/system/internal/introspect"
	"strowger/system/service"
)

// clusterConfig returns the settings of a node with a NATS server inside that knows the addresses of others.
func clusterConfig(t testing.TB, name string, routes ...string) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Cluster.Node, cfg.Cluster.Listen, cfg.Cluster.Routes, cfg.Cluster.Secret = name, "127.0.0.1:0", routes, "the-secret-of-the-cluster"
	cfg.Routing.UnknownService, cfg.Routing.DefaultPolicy = "503", "allow"
	return cfg
}

// takes returns where a node takes others.
func takes(s *System) string { return s.cluster.bus.Status().Listen }

// nodes starts nodes that are linked with each other. The first has the list of services.
func nodes(t *testing.T, n int, change func(cfg *config.Config), list ...*service.Service) []*System {
	t.Helper()
	var all []*System
	for i := range n {
		var routes []string
		for _, s := range all {
			routes = append(routes, takes(s))
		}
		cfg := clusterConfig(t, string(rune('a'+i)), routes...)
		if change != nil {
			change(cfg)
		}
		if i > 0 {
			list = nil
		}
		all = append(all, start(t, cfg, list...))
	}
	for _, s := range all {
		linked(t, s, n-1)
	}
	return all
}

// linked waits until a node is linked with so many others.
func linked(t *testing.T, s *System, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s is linked with %d others", s.cluster.node, n), func() bool {
		counts := s.cluster.links.Counts()
		return counts.Linked == n && counts.Nodes == n
	})
}

// offered waits until a node knows an instance of a service on another node.
func offered(t *testing.T, s *System, name string, instances int) {
	t.Helper()
	eventually(t, name+" is offered", func() bool {
		n := 0
		for _, node := range s.source().Cluster().Nodes {
			for _, svc := range node.Services {
				if svc.Name == name && node.State != "self" {
					n += svc.Instances
				}
			}
		}
		return n == instances
	})
}

// A client on one node asks a service on another, and gets what it says. Three nodes are as one router.
func TestClusterIsOneRouter(t *testing.T) {
	all := nodes(t, 3, nil)
	texts := join(t, all[0], remote("texts", "texts_service"))
	var clients []*peer
	for _, s := range all {
		clients = append(clients, join(t, s, user("one.example", nil, "texts")))
	}
	for i, c := range clients {
		c.sendf(`{"service":"texts","topic":"get","request_id":"%d"}`, i)
		id := texts.asked(fmt.Sprintf(`"" texts/get #"%d" null`, i))
		texts.sendf(`{"service_name":"texts","topic":"get","request_id":"%d","resource_id":%q,"payload":{"n":%d}}`, i, id, i)
		texts.sendf(`{"service_name":"texts","topic":"NEWS","payload":{"after":%d}}`, i)
		for j, other := range clients {
			if j == i {
				other.gets(fmt.Sprintf(`"" texts/get #"%d" {"n":%d}`, i, i))
			}
			other.gets(fmt.Sprintf(`"" texts/NEWS #"" {"after":%d}`, i))
		}
	}
	for _, c := range clients {
		c.quiet()
	}
	for i, s := range all {
		if err := s.Ready(); err != nil {
			t.Error(err)
		}
		cluster := s.source().Cluster()
		if !cluster.Clustered || len(cluster.Nodes) != 3 || !cluster.Bus.Connected || cluster.Node != string(rune('a'+i)) {
			t.Errorf("node %d sees %+v", i, cluster)
		}
	}
	b := all[1].source().Cluster().Nodes[1]
	if b.Name != "a" || b.State != "linked" || len(b.Services) != 1 || b.Services[0] != (introspect.ClusterService{Name: "texts", Instances: 1}) {
		t.Errorf("b sees %+v", b)
	}
}

// A service in the router of one node answers clients of another one.
func TestServiceInsideAnotherNode(t *testing.T) {
	clock := &service.Service{Name: "clock", Setup: func(s service.Setup) error {
		s.Handle("now", func(r service.Request) error { r.Reply("late"); return nil })
		return nil
	}}
	all := nodes(t, 2, nil, clock)
	offered(t, all[1], "clock", 1)
	c := join(t, all[1], user("one.example", nil, "clock"))
	c.sendf(`{"service":"clock","topic":"now","request_id":"1"}`)
	c.gets(`200 clock/now #"1" "late"`)
}

// A node that stops says so: what its services were asked is answered at once.
func TestNodeLeaves(t *testing.T) {
	a, stop := startStoppable(t, clusterConfig(t, "a"))
	b := start(t, clusterConfig(t, "b", takes(a)))
	linked(t, b, 1)
	texts := join(t, a, remote("texts", "texts_service"))
	c := join(t, b, user("one.example", nil, "texts"))
	offered(t, b, "texts", 1)
	c.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	texts.asked(`"" texts/get #"1" null`)
	begun := time.Now()
	stop()
	c.gets(`503 texts/get #"1" null`)
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("it took %v", took)
	}
	linked(t, b, 0)
}

// A node that dies is noticed. With failover another node's instance gets its requests, else they get 503.
func TestNodeDies(t *testing.T) {
	for setting, failover := range map[string]bool{"all": false, "failover": true} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			all := nodes(t, 3, func(cfg *config.Config) { cfg.Routing.Instances = setting })
			dying := join(t, all[0], remote("texts", "texts_service"))
			c := join(t, all[1], user("one.example", nil, "texts"))
			offered(t, all[1], "texts", 1)
			c.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
			dying.asked(`"" texts/get #"1" null`)
			other := join(t, all[2], remote("texts", "texts_service"))
			offered(t, all[1], "texts", 2)

			begun := time.Now()
			all[0].cluster.bus.Close() // it says nothing any more, as if its machine had lost its power
			if failover {
				id := other.asked(`"" texts/get #"1" null`)
				other.sendf(`{"service_name":"texts","topic":"get","request_id":"1","resource_id":%q,"payload":"other"}`, id)
				c.gets(`"" texts/get #"1" "other"`)
			} else {
				c.gets(`503 texts/get #"1" null`)
			}
			t.Logf("noticed after %v", time.Since(begun))
			linked(t, all[1], 1)
			linked(t, all[2], 1)
		})
	}
}

// A node with another secret is refused. Both go on alone, and say why.
func TestAnotherSecretThanTheClusters(t *testing.T) {
	var logs [2]syncBuffer
	a, _ := startLogged(t, clusterConfig(t, "a"), slog.New(slog.NewTextHandler(&logs[0], nil)))
	cfg := clusterConfig(t, "b", takes(a))
	cfg.Cluster.Secret, cfg.Cluster.StartWait = "another-secret-of-16", 100*time.Millisecond
	b, _ := startLogged(t, cfg, slog.New(slog.NewTextHandler(&logs[1], nil)))
	eventually(t, "a says why", func() bool { return strings.Contains(logs[0].String(), "a node with another secret was refused") })
	eventually(t, "b says why", func() bool { return strings.Contains(logs[1].String(), "another node refuses the secret of this one") })
	for i, s := range []*System{a, b} {
		if err := s.Ready(); err != nil {
			t.Error(err)
		}
		if n := s.cluster.links.Counts().Nodes; n != 0 {
			t.Errorf("%s knows %d nodes", s.cluster.node, n)
		}
		if log := logs[i].String(); strings.Contains(log, "the-secret-of-the-cluster") || strings.Contains(log, "another-secret-of-16") {
			t.Errorf("a secret is in the log of %s", s.cluster.node)
		}
	}
}

// externalNATS starts a NATS server with a port for clients.
func externalNATS(t *testing.T, port int, change func(o *natsserver.Options)) (address string, stop func()) {
	t.Helper()
	o := &natsserver.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true}
	if change != nil {
		change(o)
	}
	s, err := natsserver.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
	}
	t.Cleanup(stop)
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return s.Addr().String(), stop
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// outsideConfig returns the settings of a node that meets others at an external NATS.
func outsideConfig(t *testing.T, name, address string) *config.Config {
	cfg := clusterConfig(t, name)
	cfg.Cluster.Listen, cfg.Cluster.Secret, cfg.Cluster.NATS = "", "", []string{address}
	return cfg
}

// Nodes meet at an external NATS. While it is away each goes on alone and is ready, and says so. When it is back they
// link again.
func TestNATSGoesAndComesBack(t *testing.T) {
	address, stop := externalNATS(t, natsserver.RANDOM_PORT, func(o *natsserver.Options) { o.Username, o.Password = "me", "pass" })
	password := secretFile(t, "pass\n")
	var all []*System
	for _, name := range []string{"a", "b"} {
		cfg := outsideConfig(t, name, address)
		cfg.Cluster.User, cfg.Cluster.PasswordFile, cfg.Admin.Address = "me", password, "127.0.0.1:0"
		all = append(all, start(t, cfg))
	}
	linked(t, all[0], 1)
	linked(t, all[1], 1)
	texts := join(t, all[0], remote("texts", "texts_service"))
	far, near := join(t, all[1], user("one.example", nil, "texts")), join(t, all[0], user("one.example", nil, "texts"))
	offered(t, all[1], "texts", 1)
	far.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	texts.asked(`"" texts/get #"1" null`)

	stop()
	far.gets(`503 texts/get #"1" null`)
	linked(t, all[0], 0)
	for _, s := range all {
		if err := s.Ready(); err != nil {
			t.Errorf("%s is not ready: %v", s.cluster.node, err)
		}
		if text := page(t, s, "/readyz"); !strings.Contains(text, `"ready":true`) || !strings.Contains(text, "the bus is away, and this node goes on alone") {
			t.Errorf("%s says %s", s.cluster.node, text)
		}
		if text := page(t, s, "/metrics"); !strings.Contains(text, "strowger_cluster_bus_up_status 0\n") || !strings.Contains(text, "strowger_cluster_linked_nodes 0\n") {
			t.Errorf("%s says %s", s.cluster.node, text)
		}
	}
	near.sendf(`{"service":"texts","topic":"get","request_id":"2"}`)
	id := texts.asked(`"" texts/get #"2" null`)
	texts.sendf(`{"service_name":"texts","topic":"get","request_id":"2","resource_id":%q,"payload":"alone"}`, id)
	near.gets(`"" texts/get #"2" "alone"`)

	port := 0
	if _, err := fmt.Sscanf(address[strings.LastIndexByte(address, ':')+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	externalNATS(t, port, func(o *natsserver.Options) { o.Username, o.Password = "me", "pass" })
	linked(t, all[0], 1)
	linked(t, all[1], 1)
	offered(t, all[1], "texts", 1)
	far.sendf(`{"service":"texts","topic":"get","request_id":"3"}`)
	id = texts.asked(`"" texts/get #"3" null`)
	texts.sendf(`{"service_name":"texts","topic":"get","request_id":"3","resource_id":%q,"payload":"back"}`, id)
	far.gets(`"" texts/get #"3" "back"`)
	for _, s := range all {
		if text := page(t, s, "/readyz"); strings.Contains(text, "notes") {
			t.Errorf("%s says %s", s.cluster.node, text)
		}
		var cluster introspect.Cluster
		if err := json.Unmarshal([]byte(page(t, s, "/cluster")), &cluster); err != nil {
			t.Fatal(err)
		}
		if len(cluster.Nodes) != 2 || !cluster.Bus.Connected || cluster.Bus.Server != "nats://"+address {
			t.Errorf("%s sees %+v", s.cluster.node, cluster)
		}
		if text := page(t, s, "/metrics"); !strings.Contains(text, "strowger_cluster_bus_up_status 1\n") || !strings.Contains(text, "strowger_cluster_bus_disconnects_total 1\n") {
			t.Errorf("%s says %s", s.cluster.node, text)
		}
	}
}

// A node starts without its NATS, and joins when it comes.
func TestStartWithoutNATS(t *testing.T) {
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := user.PublicKey()
	seed, _ := user.Seed()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, port := free.Addr().String(), free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	var all []*System
	for _, name := range []string{"a", "b"} {
		cfg := outsideConfig(t, name, address)
		cfg.Cluster.NKeyFile = secretFile(t, string(seed))
		all = append(all, start(t, cfg))
	}
	if notes := all[0].source().Notes(); len(notes) != 1 {
		t.Errorf("it says %v", notes)
	}
	externalNATS(t, port, func(o *natsserver.Options) { o.Nkeys = []*natsserver.NkeyUser{{Nkey: public}} })
	linked(t, all[0], 1)
	linked(t, all[1], 1)
}

// page returns what the admin pages answer.
func page(t *testing.T, s *System, path string) string {
	t.Helper()
	return string(get(t, s, path, http.StatusOK))
}

func TestClusterThatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := clusterConfig(t, "a")
	cfg.Cluster.Listen = taken.Addr().String()
	s, err := New(Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), "cluster.listen: ") {
		t.Errorf("Start returns %v", err)
	}
	cfg = clusterConfig(t, "a")
	cfg.Cluster.Secret, cfg.Cluster.SecretFile = "", filepath.Join(t.TempDir(), "gone")
	if _, err := New(Options{Config: cfg}); err == nil || !strings.Contains(err.Error(), "cluster.secret_file: ") {
		t.Errorf("New returns %v", err)
	}
}

// A reload does not change the cluster, and says so.
func TestReloadLeavesTheCluster(t *testing.T) {
	s := start(t, clusterConfig(t, "a"))
	cfg := *s.cfg
	cfg.Cluster.Secret, cfg.Cluster.Node = "a-new-secret-of-16", "b"
	done, err := s.Reload(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Applied) != 0 || len(done.Restart) != 2 {
		t.Errorf("applied %v, restart %v", done.Applied, done.Restart)
	}
	if strings.Contains(fmt.Sprint(done), "a-new-secret") {
		t.Errorf("a secret is in %v", done)
	}
}

// A router that is alone has no node, no metric of a cluster, and a page that says so.
func TestAlone(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	s := start(t, cfg)
	if text := page(t, s, "/cluster"); strings.TrimSpace(text) != `{"clustered":false,"nodes":[]}` {
		t.Errorf("it says %s", text)
	}
	if text := page(t, s, "/metrics"); strings.Contains(text, "strowger_cluster") {
		t.Error("there are metrics of a cluster")
	}
}
