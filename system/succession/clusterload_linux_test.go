package succession

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// fleet is a cluster of three daemons under load.
type fleet struct {
	t         *testing.T
	configs   []string
	places    []*place
	casters   []*newscaster
	listeners []*listener
	rounds    int
}

// load says how many clients each node has and how often each fault happens. STROWGER_CLUSTER_LOAD sets other numbers.
func load(t *testing.T) (clients, rounds int) {
	t.Helper()
	clients, rounds = 2, 1
	if text := os.Getenv("STROWGER_CLUSTER_LOAD"); text != "" {
		if _, err := fmt.Sscanf(text, "%dx%d", &clients, &rounds); err != nil || clients < 1 || rounds < 1 {
			t.Fatalf("STROWGER_CLUSTER_LOAD=%q: want clients of each node and rounds, such as 20x10", text)
		}
	}
	return clients, rounds
}

// loopback returns an address of this machine that no other program takes when it has any port.
func loopback(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.N(250), rand.N(256), 1+rand.N(250)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// newFleet starts the nodes, and services and clients on each. Outside is the address of a NATS server, empty: each node
// has one inside.
func newFleet(t *testing.T, outside string) *fleet {
	t.Helper()
	clients, rounds := load(t)
	f := &fleet{t: t, rounds: rounds}
	routes := []string{loopback(t), loopback(t), loopback(t)}
	var services []string
	for i := range 3 {
		way := fmt.Sprintf("listen: %q, routes: [\"%s\"], secret: the-secret-of-the-fleet", routes[i], strings.Join(routes, "\", \""))
		if outside != "" {
			way = fmt.Sprintf("nats: [%q]", outside)
		}
		config := strings.Replace(fmt.Sprintf(clustered, string(rune('a'+i)), way), `unknown_service: "503"`, `unknown_service: "503", unanswered: "504", request_timeout: 1m`, 1)
		f.configs = append(f.configs, config)
		f.places = append(f.places, &place{t: t})
		services = append(services, "news."+string(rune('a'+i)))
	}
	for i := range 3 {
		f.places[i].move(run(t, f.configs[i]))
	}
	f.linked(3)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i, p := range f.places {
		s := &newscaster{name: services[i], place: p}
		f.casters = append(f.casters, s)
		all.Go(func() { s.run(ctx) })
		for n := range clients {
			l := &listener{t: t, name: fmt.Sprintf("%c%d", 'a'+i, n), place: p, services: services, open: map[string]*question{}, statuses: map[int]int{}, of: map[string]*heard{}}
			for _, name := range services {
				l.of[name] = new(heard)
			}
			f.listeners = append(f.listeners, l)
			all.Go(func() { l.run(ctx) })
		}
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
		for _, l := range f.listeners {
			l.tell()
		}
	})
	f.converse()
	return f
}

// tell logs what the listener has seen.
func (l *listener) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("%s: %d requests on %d connections: outcomes %v, %d open when a connection ended;", l.name, l.asked, l.conn, l.statuses, l.unknown)
	for _, name := range l.services {
		h := l.of[name]
		text += fmt.Sprintf(" %s: %d broadcasts, %d missed, told %d times;", name, h.count, h.missed, h.gaps)
	}
	l.t.Log(text)
}

// running returns the nodes that run.
func (f *fleet) running() (all []*running) {
	for _, p := range f.places {
		if r := p.now(); r != nil {
			all = append(all, r)
		}
	}
	return all
}

// linked waits until so many nodes know each other.
func (f *fleet) linked(n int) {
	f.t.Helper()
	for _, r := range f.running() {
		until(f.t, fmt.Sprintf("%d nodes are linked with %s\n%s", n-1, r.Addr, r.Log()), func() bool {
			nodes := r.cluster().Nodes
			for _, other := range nodes[1:] {
				if other.State != "linked" {
					return false
				}
			}
			return len(nodes) == n
		})
	}
}

// progress waits until each listener of the nodes that run hears and asks more of the services there.
func (f *fleet) progress(broadcasts, answers int) {
	f.t.Helper()
	var waits []func()
	for i, p := range f.places {
		for _, l := range f.listeners {
			if p.now() == nil || l.place.now() == nil {
				continue
			}
			name := f.casters[i].name
			before, _ := l.snapshot(name)
			waits = append(waits, func() {
				f.t.Helper()
				until(f.t, l.name+" gets on with "+name, func() bool {
					h, _ := l.snapshot(name)
					return h.count >= before.count+broadcasts && h.answers >= before.answers+answers || f.t.Failed()
				})
			})
		}
	}
	for _, wait := range waits {
		wait()
	}
}

// converse returns once all is as it should be: every client hears and asks every service, each request has its outcome,
// and each node knows the clients of the others that have asked, and no more.
func (f *fleet) converse() {
	f.t.Helper()
	f.linked(len(f.places))
	f.progress(20, 20)
	for _, l := range f.listeners {
		l.hush(true)
		until(f.t, "all requests of "+l.name+" have an outcome", func() bool { return l.waits() == 0 || f.t.Failed() })
		l.hush(false)
	}
	visitors := len(f.listeners) / len(f.places) * (len(f.places) - 1)
	f.progress(1, 1)
	for _, r := range f.running() {
		until(f.t, fmt.Sprintf("%s knows %d clients of other nodes", r.Addr, visitors), func() bool {
			return strings.Contains(r.page("/metrics"), fmt.Sprintf("\nstrowger_cluster_visitors %d\n", visitors))
		})
	}
}

// page returns what the admin pages answer.
func (r *running) page(path string) string {
	r.t.Helper()
	response, err := http.Get("http://" + r.admin + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// kill ends a process as a loss of power does, and returns when it is gone.
func (r *running) kill() {
	r.killed = true
	_ = syscall.Kill(r.pid, syscall.SIGKILL)
	r.once.Do(func() {})
	_ = r.Stop()
}

// A node that is killed takes nothing with it but what it had. The others notice, and answer what was asked there. When it
// is back it is as any other.
func TestClusterUnderKills(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "")
	for range f.rounds {
		for i, p := range f.places {
			var told []int
			for _, l := range f.listeners {
				h, _ := l.snapshot(f.casters[i].name)
				told = append(told, h.gaps)
			}
			dead := p.now()
			p.move(nil)
			begun := time.Now()
			dead.kill()
			f.linked(2)
			t.Logf("%c was killed, and noticed after %v", 'a'+i, time.Since(begun).Round(time.Millisecond))
			for n, l := range f.listeners {
				if l.place == p {
					continue
				}
				until(t, fmt.Sprintf("%s is told of what %s has lost", l.name, f.casters[i].name), func() bool {
					h, _ := l.snapshot(f.casters[i].name)
					return h.gaps > told[n]
				})
			}
			f.progress(20, 20)
			p.move(run(t, f.configs[i]))
			f.converse()
		}
	}
}

// One node after the other is restarted in good order.
func TestClusterUnderRestarts(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "")
	for range f.rounds {
		for i, p := range f.places {
			r := p.now()
			p.move(nil)
			if err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			f.progress(5, 5)
			p.move(run(t, f.configs[i]))
			f.converse()
		}
	}
}

// One node after the other is upgraded. Nobody is disconnected.
func TestClusterUnderUpgrades(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "")
	for range f.rounds {
		for _, p := range f.places {
			p.now().upgrade()
			f.converse()
		}
	}
	for _, l := range f.listeners {
		if l.conn != 1 {
			t.Errorf("%s has had %d connections", l.name, l.conn)
		}
	}
}

// The NATS server outside is restarted. Each node goes on alone meanwhile, and nobody is disconnected.
func TestClusterUnderBusRestarts(t *testing.T) {
	t.Parallel()
	address := loopback(t)
	host, port, _ := net.SplitHostPort(address)
	options := natsserver.Options{Host: host, NoSigs: true, NoLog: true}
	_, _ = fmt.Sscan(port, &options.Port)
	start := func() *natsserver.Server {
		o := options
		s, err := natsserver.NewServer(&o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(patience) {
			t.Fatal("NATS does not start")
		}
		return s
	}
	bus := start()
	t.Cleanup(func() {
		bus.Shutdown()
		bus.WaitForShutdown()
	})
	f := newFleet(t, address)
	for range 2 * f.rounds {
		bus.Shutdown()
		bus.WaitForShutdown()
		f.linked(1)
		for i, l := range f.listeners {
			name := f.casters[i*len(f.places)/len(f.listeners)].name
			before, refused := l.snapshot(name)
			until(t, l.name+" goes on with "+name+" and is refused by the others", func() bool {
				h, no := l.snapshot(name)
				return h.count >= before.count+10 && h.answers >= before.answers+10 && no >= refused+10 || t.Failed()
			})
		}
		bus = start()
		f.converse()
	}
	for _, l := range f.listeners {
		if l.conn != 1 {
			t.Errorf("%s has had %d connections", l.name, l.conn)
		}
	}
}
