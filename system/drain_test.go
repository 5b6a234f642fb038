package system

import (
	"context"
	"errors"
	"testing"
	"time"

	"strowger/config"
)

// crowd connects clients and, last, a service.
func crowd(t *testing.T, s *System, clients int) (peers []*peer, service *peer) {
	t.Helper()
	for range clients {
		peers = append(peers, join(t, s, user("one.example", nil, "remote")))
	}
	return peers, join(t, s, remote("remote", "remote_service"))
}

// A stop sends everybody away in time, however small shutdown.pace is: at that pace it would take longer than the stop
// waits, and the rest would be cut off.
func TestStopSendsAllAwayInTime(t *testing.T) {
	cfg := testConfig(t)
	cfg.Shutdown = config.Shutdown{Timeout: 2 * time.Second, Pace: 1}
	s, _ := startStoppable(t, cfg)
	peers, service := crowd(t, s, int(patience/time.Second)+1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	for i, p := range append(peers, service) {
		<-p.closed
		if p.code != 1001 {
			t.Errorf("connection %d was closed with %d, want 1001", i, p.code)
		}
	}
}

// A stop that must hurry cuts off at once whoever has not been sent away. The pace is the one of the last reload, and it
// begins with the newest client.
func TestStopHurries(t *testing.T) {
	cfg := testConfig(t)
	cfg.Shutdown = config.Shutdown{Timeout: 10 * time.Minute, Pace: 1_000_000}
	s, _ := startStoppable(t, cfg)
	slower := *cfg
	slower.Shutdown.Pace = 1
	if changes, err := s.Reload(&slower); err != nil || len(changes.Applied) != 1 {
		t.Fatalf("reload: %+v, %v", changes, err)
	}
	peers, service := crowd(t, s, 300) // more than go within two minutes
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	newest := peers[len(peers)-1]
	<-newest.closed
	if newest.code != 1001 {
		t.Errorf("the newest client was closed with %d, want 1001", newest.code)
	}
	cancel()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("stop: %v", err)
	}
	for _, p := range []*peer{peers[0], service} {
		<-p.closed
		if p.code == 1001 {
			t.Error("somebody was sent away whose turn had not come")
		}
	}
}
