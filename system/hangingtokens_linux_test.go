package system

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hangingMount covers a directory by a file system that never answers, until release is called. It skips the test where
// the kernel or its rights do not allow that.
func hangingMount(t *testing.T, dir string) (release func()) {
	t.Helper()
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no file system can be made to hang: %v", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", device.Fd(), os.Getuid(), os.Getgid())
	if err := unix.Mount("hangs", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		_ = device.Close()
		t.Skipf("no file system can be made to hang: %v", err)
	}
	released := false
	release = func() {
		if released {
			return
		}
		released = true
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
		_ = device.Close() // ends all calls that hang
	}
	t.Cleanup(release)
	return release
}

// A directory of tokens that hangs keeps out only those whose tokens are there. Everybody who is connected goes on, and
// so does who comes with another token. It is named, and all is as before when the directory answers.
func TestTokenDirectoryHangs(t *testing.T) {
	cfg := jwtConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	cfg.Heartbeat.Interval, cfg.Heartbeat.Limit = 100*time.Millisecond, time.Second
	s := start(t, cfg)
	service := join(t, s, remote("weather", ""))
	client := join(t, s, user("", nil, "weather"))
	get(t, s, "/readyz", http.StatusOK)
	release := hangingMount(t, cfg.Tokens.Directory)

	// More than can be looked at at once.
	var waiting []*peer
	for range 2 * claimers {
		p := connectAt(t, s.Addr().String())
		p.shows(strings.Repeat("n", 32), strings.Repeat("h", 64))
		waiting = append(waiting, p)
	}
	eventually(t, "it is named", func() bool { return strings.Contains(fmt.Sprint(s.Ready()), "tokens: has not answered for") })
	get(t, s, "/readyz", http.StatusServiceUnavailable)
	get(t, s, "/healthz", http.StatusOK)
	if err := s.Healthy(); err != nil {
		t.Errorf("not healthy: %v", err)
	}
	ask := func(p *peer, id string) {
		t.Helper()
		p.sendf(`{"service":"weather","topic":"get","request_id":%q}`, id)
		resource := service.asked(`"" weather/get #"` + id + `" null`)
		service.sendf(`{"service_name":"weather","topic":"get","request_id":%q,"resource_id":%q,"payload":1}`, id, resource)
		p.gets(`"" weather/get #"` + id + `" 1`)
	}
	ask(client, "1")
	other := connectAt(t, s.Addr().String())
	other.shows("jwt", signed(t, cfg, "somebody", time.Hour, map[string]any{"services": []string{"weather"}}))
	other.gets(good200)
	ask(other, "2")

	release()
	for _, p := range waiting {
		p.gets(bad401)
	}
	eventually(t, "it is ready", func() bool { return s.Ready() == nil })
	ask(join(t, s, user("", nil, "weather")), "3")
}

// While the directory hangs, as many tokens wait as may. Further connections are turned away at once, and the log says why.
// Whoever waits gets an answer when the directory does.
func TestTokensWaitWithinABound(t *testing.T) {
	cfg := jwtConfig(t)
	cfg.Tokens.Waiting = 2 * claimers
	s, log := startJournal(t, cfg)
	release := hangingMount(t, cfg.Tokens.Directory)
	var all []*peer
	for range claimers + cfg.Tokens.Waiting + 5 {
		p := connectAt(t, s.Addr().String())
		p.shows(strings.Repeat("n", 32), strings.Repeat("h", 64))
		all = append(all, p)
	}
	eventually(t, "all have shown their token", func() bool {
		now := s.pool.stats()
		return now.Refused >= 5 && now.Running+now.Waiting+now.Refused >= int64(len(all))
	})
	if line := log.await(t, "unchecked"); line["setting"] != "tokens.waiting" || line["role"] != "unauthenticated" {
		t.Errorf("the log says %v, want the setting tokens.waiting", line)
	}
	other := connectAt(t, s.Addr().String()) // what it shows waits elsewhere
	other.shows("jwt", signed(t, cfg, "somebody", time.Hour, nil))
	other.gets(good200)

	release()
	turnedAway := int64(0)
	for _, p := range all {
		select {
		case e := <-p.got:
			if e.String() != bad401 {
				t.Errorf("got %s, want %s", e, bad401)
			}
		case <-p.closed:
			if turnedAway++; p.code != 1013 {
				t.Errorf("closed with %d, want 1013", p.code)
			}
		case <-time.After(patience):
			t.Fatal("one who waited has no answer")
		}
	}
	if n := s.pool.stats().Refused; n != turnedAway {
		t.Errorf("%d were turned away, and %d counted", turnedAway, n)
	}
}
