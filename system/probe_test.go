package system

import (
	"testing"
	"time"

	"strowger/actors"
)

// await waits for something that must happen.
func await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("%s: still not after %v", what, patience)
	}
}

// A probe comes back from a router that works, also with names, topics and services.
func TestProbe(t *testing.T) {
	cfg := testConfig(t)
	s, stop := startStoppable(t, cfg, steady("a"), steady("b"))
	join(t, s, user("one.example", nil, "a", "watched")) // so the router is there
	back := make(chan struct{}, 1)
	for range 3 {
		s.Probe(func() { back <- struct{}{} })
		await(t, "the probe", back)
	}
	eventually(t, "two services are counted", func() bool { return s.Services() == 2 })
	first, second := join(t, s, remote("c", "c_service")), join(t, s, remote("c", "c_service"))
	eventually(t, "a remote one is counted", func() bool { return s.Services() == 3 })
	_ = first.conn.WriteClose(1000, nil)
	_ = second.conn.WriteClose(1000, nil)
	eventually(t, "its last instance is gone, and counted once", func() bool { return s.Services() == 2 })
	stop()
	s.Probe(func() { t.Error("a probe of a stopped system came back") })
	new(System).Probe(func() { t.Error("a probe of no system came back") })
}

// A probe does not come back while the router's actor is blocked.
func TestProbeOfABlockedRouter(t *testing.T) {
	s := start(t, testConfig(t))
	eventually(t, "it is ready", func() bool { return s.Ready() == nil })
	blocked, release := make(chan struct{}), make(chan struct{})
	s.core.Load().Send(&actors.Fence{Done: func() { close(blocked); <-release }}) // without names the router itself calls it
	await(t, "the router is blocked", blocked)
	back := make(chan struct{}, 1)
	s.Probe(func() { back <- struct{}{} })
	if n := s.insight.router.Depth(); n == 0 {
		t.Error("the probe does not wait for the router")
	}
	select {
	case <-back:
		t.Error("the probe of a blocked router came back")
	default:
	}
	close(release)
	await(t, "the probe", back)
}
