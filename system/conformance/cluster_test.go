package conformance

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"strowger/system/internal/daemontest"
)

// cluster is some daemons that are one router.
type cluster []*daemontest.Daemon

// TestAcrossNodes plays every scenario to two nodes: services connect to one of them, and all others to the other.
func TestAcrossNodes(t *testing.T) {
	playToClusters(t, 2, func(sc scenario, conn string) int {
		if servesIn(sc, conn) {
			return 1
		}
		return 0
	})
}

// TestSpreadOverNodes plays every scenario to three nodes. Its name and the connection's decide who goes where.
func TestSpreadOverNodes(t *testing.T) {
	playToClusters(t, 3, func(sc scenario, conn string) int {
		h := fnv.New32a()
		_, _ = h.Write([]byte(sc.Name + "/" + conn))
		return int(h.Sum32() % 3)
	})
}

// servesIn reports whether a connection authenticates as a service in the scenario.
func servesIn(sc scenario, conn string) bool {
	services := map[string]bool{}
	for _, s := range sc.Steps {
		if s.Do == "token" && s.Spec != nil {
			services[s.Token] = s.Spec.Kind == "service"
		}
	}
	return slices.ContainsFunc(sc.Steps, func(s step) bool { return s.Do == "auth" && s.Conn == conn && services[s.Token] })
}

// playToClusters plays every scenario to a cluster of so many nodes. Node says which of them a connection goes to.
func playToClusters(t *testing.T, nodes int, node func(sc scenario, conn string) int) {
	if os.Getenv("STROWGER_ADDR") != "" {
		t.Skip("STROWGER_ADDR is set: a foreign daemon is one node")
	}
	dependOnSources(t)
	binary := buildDaemon(t)
	free := make(chan cluster, poolSize)
	for range poolSize {
		free <- startCluster(t, binary, nodes)
	}
	t.Run("scenario", func(t *testing.T) {
		for _, sc := range loadScenarios(t) {
			t.Run(sc.Name, func(t *testing.T) {
				t.Parallel()
				c := <-free
				defer func() { free <- c }()
				want := expected(t, sc, sc.Name)
				addr := func(conn string) string { return c[node(sc, conn)].Addr }
				got := play(addr, c[0].TokenDir, patienceFor(want), slices.Concat(sc.Steps, departures()[sc.Name].then))
				if diff := compare(want, got); diff != "" {
					t.Errorf("%s\n%s", sc.Desc, diff)
					for i, d := range c {
						t.Logf("the end of the log of node %d:\n%s", i, d.Log())
					}
				}
			})
		}
	})
}

// startCluster starts so many daemons that are one router over a NATS server, and stops them when t ends.
func startCluster(t *testing.T, binary string, nodes int) cluster {
	t.Helper()
	bus, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	bus.Start()
	t.Cleanup(func() {
		bus.Shutdown()
		bus.WaitForShutdown()
	})
	if !bus.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not start")
	}
	var c cluster
	tokens := t.TempDir()
	for i := range nodes {
		cmd := daemontest.Command(binary, "serve", "--config", filepath.Join(testdata, "strowger.yaml"), "--listen", "127.0.0.1:0",
			"--token-dir", tokens)
		cmd.Env = append(cmd.Env, "STROWGER_CLUSTER__NATS="+bus.ClientURL(), fmt.Sprint("STROWGER_CLUSTER__NODE=node", i))
		d, err := daemontest.Start(cmd, tokens)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Stop(); err != nil {
				t.Error(err)
			}
		})
		c = append(c, d)
	}
	return c
}
