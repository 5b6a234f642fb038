package system

import (
	"context"
	"errors"
	"os/exec"
	"testing"
)

// Nothing is added or removed while another process takes over. When that fails, everything is as before.
func TestNoChangesDuringAnUpgrade(t *testing.T) {
	var n int
	s := start(t, dynamicConfig(t), grouped("a", &n, nil))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	upgraded := make(chan error, 1)
	go func() {
		_, err := s.Upgrade(ctx, exec.Command("sleep", "600")) // says nothing
		upgraded <- err
	}()
	eventually(t, "the upgrade is under way", func() bool {
		err := s.Add(context.Background(), grouped("b", &n, nil))
		if err == nil {
			err = s.Remove(context.Background(), "b")
		}
		return errors.Is(err, errUpgrades)
	})
	refusedWith(t, s.Remove(t.Context(), "a"), errUpgrades, "")
	cancel()
	if err := <-upgraded; err == nil {
		t.Fatal("the upgrade has succeeded")
	}
	add(t, s, grouped("c", &n, nil))
	remove(t, s, "c")
	remove(t, s, "a")
}
