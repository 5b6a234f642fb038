package succession

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// clusterState is what a daemon says of its cluster.
type clusterState struct {
	Bus   struct{ Listen string }
	Nodes []struct {
		Name, ID, State string
		Services        []struct{ Name string }
		Singletons      []struct{ Name, State string }
		Watches         []string
	}
}

// cluster asks the daemon about its cluster.
func (r *running) cluster() (c clusterState) {
	r.t.Helper()
	response, err := http.Get("http://" + r.admin + "/cluster")
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// until waits until a condition holds.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); !holds(); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// linked waits until the daemon is linked with one other node, which offers and watches so many services, and returns
// that node's id.
func (r *running) linked(offers, watches int) (id string) {
	r.t.Helper()
	until(r.t, fmt.Sprintf("one node is linked that offers %d and watches %d services\n%s", offers, watches, r.Log()), func() bool {
		nodes := r.cluster().Nodes
		if len(nodes) != 2 || nodes[1].State != "linked" || len(nodes[1].Services) != offers || len(nodes[1].Watches) != watches {
			return false
		}
		id = nodes[1].ID
		return true
	})
	return id
}

const clustered = open + "dashboard: {enabled: false}\nrouting: {unknown_service: \"503\"}\ncluster: {node: %s, start_wait: 10s, %s}\n"

// pair runs two nodes of one cluster.
func pair(t *testing.T, outside bool) (a, b *running) {
	t.Helper()
	if !outside {
		a = run(t, fmt.Sprintf(clustered, "a", "listen: \"127.0.0.1:0\""))
		// A new process of a is to take the address of the old one.
		a.configure(fmt.Sprintf(clustered, "a", "listen: \""+a.cluster().Bus.Listen+"\""))
		return a, run(t, fmt.Sprintf(clustered, "b", "listen: \"127.0.0.1:0\", routes: [\""+a.cluster().Bus.Listen+"\"]"))
	}
	nats, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(func() {
		nats.Shutdown()
		nats.WaitForShutdown()
	})
	if !nats.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	where := "nats: [\"" + nats.Addr().String() + "\"]"
	return run(t, fmt.Sprintf(clustered, "a", where)), run(t, fmt.Sprintf(clustered, "b", where))
}

// The process that takes over is a new node. Connections cross, and once it has linked all is as before. What was asked
// across nodes is answered 503, at once.
func TestClusterAndUpgrade(t *testing.T) {
	for name, outside := range map[string]bool{"NATS inside": false, "external NATS": true} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, outside)
			far := b.service("weather")
			near := a.service("news")
			client, other := a.authenticate(a.mint(token.Spec{Services: []string{"weather", "news"}})), b.authenticate(b.mint(token.Spec{Services: []string{"news"}}))
			before := b.linked(1, 2)
			a.linked(1, 1)
			client.text(request("weather", "1", "a"))
			far.message()
			other.text(request("news", "2", "b"))
			near.message()

			a.upgrade()
			begun := time.Now()
			for _, asked := range []struct {
				w  *raw
				id string
			}{{client, "1"}, {other, "2"}} {
				if m := asked.w.message(); m.StatusCode != 503 || m.RequestID != asked.id {
					t.Errorf("a request across nodes is answered with %+v", m)
				}
			}
			if after := b.linked(1, 2); after == before {
				t.Error("the new process is the old node")
			}
			a.linked(1, 1)
			t.Logf("linked again %v after the upgrade", time.Since(begun))
			client.text(request("weather", "3", "a"))
			far.reply(far.message(), "rain")
			if m := client.message(); string(m.Payload) != `"rain"` {
				t.Errorf("the answer is %+v", m)
			}
			other.text(request("news", "4", "b"))
			near.reply(near.message(), "none")
			if m := other.message(); string(m.Payload) != `"none"` {
				t.Errorf("the answer is %+v", m)
			}
			near.text(`{"service_name":"news","topic":"FLASH","payload":1}`)
			for _, w := range []*raw{client, other} {
				if m := w.message(); m.Topic != "FLASH" {
					t.Errorf("the broadcast is %+v", m)
				}
			}
		})
	}
}

// TestTwoCommands runs the commands of docs/cluster.md: two nodes on one machine.
func TestTwoCommands(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := open + "dashboard: {enabled: false}\n"
	a := run(t, yaml, "--cluster-node", "pbx1", "--cluster-listen", "127.0.0.1:0", "--cluster-secret-file", secret)
	at := a.cluster().Bus.Listen
	b := run(t, yaml, "--cluster-node", "pbx2", "--cluster-listen", "127.0.0.1:0", "--cluster-routes", at, "--cluster-secret-file", secret)
	a.service("weather")
	b.linked(1, 0)
	a.linked(0, 0)
	out, err := daemontest.Command(program(t), "cluster", "--admin", a.admin).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, want := range []string{"^node pbx1 of cluster strowger$", "^bus: connected since [^ ]+, NATS inside takes nodes at " + regexp.QuoteMeta(at) + ", 1 routes$", "^$",
		"^NODE  STATE   VERSION +HEARD +QUEUED  LAG  RESETS  SERVICES$", "^pbx1  self    .+ - +- +- +0 +weather 1$", "^pbx2  linked  .+ [0-9.]+m?s +0 B +[0-9]+ +0 *$"} {
		lines := strings.Split(string(out), "\n")
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d is not %q:\n%s", i+1, want, out)
		}
	}
	out, err = daemontest.Command(program(t), "status", "--admin", b.admin).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "node pbx2 of cluster strowger, 1 of 1 other nodes linked\n") {
		t.Errorf("%v: %s", err, out)
	}
	a.stop()
	until(t, "the node has left", func() bool { return len(b.cluster().Nodes) == 1 })
}

// A node that is killed is noticed.
func TestNodeIsKilled(t *testing.T) {
	a, b := pair(t, false)
	far := b.service("weather")
	client := a.authenticate(a.mint(token.Spec{Services: []string{"weather"}}))
	a.linked(1, 0)
	client.text(request("weather", "1", "a"))
	far.message()
	begun := time.Now()
	b.killed = true
	_ = syscall.Kill(b.pid, syscall.SIGKILL)
	m := client.message()
	took := time.Since(begun)
	if m.StatusCode != 503 || m.RequestID != "1" {
		t.Errorf("a request to a node that was killed is answered with %+v", m)
	}
	t.Logf("noticed after %v", took)
	until(t, "the node is gone", func() bool { return len(a.cluster().Nodes) == 1 })
}
