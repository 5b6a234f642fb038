package system

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"strowger/config"
)

// A start waits for the other nodes as long as cluster.start_wait says.
func TestStartWaitReachesTheLinks(t *testing.T) {
	cfg := clusterConfig(t, "a")
	cfg.Cluster.StartWait = 0
	s := start(t, cfg)
	if s.cluster.wait != 0 {
		t.Errorf("it waits %v, want not at all", s.cluster.wait)
	}
	cfg = clusterConfig(t, "b", takes(s))
	cfg.Cluster.StartWait = time.Minute
	if b := start(t, cfg); b.cluster.wait != time.Minute {
		t.Errorf("it waits %v, want a minute", b.cluster.wait)
	}
}

// What waits for another node while the bus takes nothing has the bound of cluster.queue_bytes. More is dropped, the log
// names the setting, and the link begins anew when the bus takes messages again.
func TestQueueBytesReachTheLinks(t *testing.T) {
	address, _ := externalNATS(t, natsserver.RANDOM_PORT, nil)
	gate := newTollgate(t, address)
	cfg := outsideConfig(t, "a", gate.address())
	cfg.Cluster.QueueBytes = config.MiB
	log := new(syncBuffer)
	a, _ := startLogged(t, cfg, slog.New(slog.NewTextHandler(log, nil)))
	b := start(t, outsideConfig(t, "b", address))
	linked(t, a, 1)
	linked(t, b, 1)
	texts := join(t, a, remote("texts", "texts_service"))
	listener := join(t, b, user("one.example", nil, "texts"))
	texts.sendf(`{"service_name":"texts","topic":"FIRST"}`)
	listener.gets(`"" texts/FIRST #"" null`)

	gate.stall(true) // a hears b, so it does not take it for gone
	long := strings.Repeat("x", 64<<10)
	for n := 0; a.cluster.links.Counts().QueueFull == 0; n++ {
		if n > 4000 {
			t.Fatal("the queue is never full")
		}
		texts.sendf(`{"service_name":"texts","topic":"LONG","payload":%q}`, long)
	}
	if most := a.cluster.links.Counts().QueueBytes; most > int64(cfg.Cluster.QueueBytes)+1<<20 {
		t.Errorf("%d bytes wait", most)
	}
	eventually(t, "the log names the setting", func() bool {
		return strings.Contains(log.String(), "too much waits to be sent to a node") && strings.Contains(log.String(), "limit=1048576 setting=cluster.queue_bytes")
	})
	gate.stall(false)
	linked(t, a, 1)
	linked(t, b, 1)
	late := join(t, b, user("one.example", nil, "texts"))
	for n := 0; ; n++ {
		texts.sendf(`{"service_name":"texts","topic":"LAST","payload":%d}`, n)
		got := false
		select {
		case e := <-late.got:
			got = e.Topic == "LAST"
		case <-time.After(50 * time.Millisecond):
		}
		if got {
			break
		}
	}
}

// The links go by the settings that bound what a node offers and watches.
func TestBoundsOfANodeReachTheLinks(t *testing.T) {
	cfg := clusterConfig(t, "a")
	cfg.Cluster.Offered, cfg.Cluster.StartWait = 100, 100*time.Millisecond
	a := start(t, cfg)
	b := start(t, clusterConfig(t, "b", takes(a)))
	linked(t, a, 1)
	for i := range 101 {
		join(t, b, remote(fmt.Sprintf("texts.%d", i), "texts_service"))
	}
	offeredOnes := func() int {
		n := 0
		for _, node := range a.source().Cluster().Nodes {
			if node.State == "linked" {
				n = len(node.Services)
			}
		}
		return n
	}
	eventually(t, "one is too many", func() bool { return offeredOnes() == 100 && a.cluster.links.Counts().Malformed == 1 })
}
