package client

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// longest makes each wait as long as it may be.
func longest(max time.Duration) time.Duration { return max }

func TestBackoff(t *testing.T) {
	tests := []struct {
		name string
		cfg  Reconnect
		want []time.Duration
	}{
		{"doubles up to the cap", Reconnect{Min: time.Second, Max: 5 * time.Second},
			[]time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}},
		{"cap below the first", Reconnect{Min: time.Second, Max: time.Millisecond},
			[]time.Duration{time.Millisecond, time.Millisecond}},
		{"no overflow", Reconnect{Min: 1 << 61, Max: 1<<63 - 1},
			[]time.Duration{1 << 61, 1 << 62, 1<<63 - 1, 1<<63 - 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.spread = longest
			b := newBackoff(test.cfg)
			for range 2 {
				for i, want := range test.want {
					if got := b.next(); got != want {
						t.Errorf("wait %d is %v, want %v", i, got, want)
					}
				}
				b.reset()
			}
		})
	}
	t.Run("full jitter", func(t *testing.T) {
		opts, err := Options{}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		var low, high bool
		for range 1000 {
			d := newBackoff(opts.Reconnect).next()
			if d < 0 || d >= 250*time.Millisecond {
				t.Fatalf("first wait is %v", d)
			}
			low = low || d < 50*time.Millisecond
			high = high || d > 200*time.Millisecond
		}
		if !low || !high {
			t.Error("the waits are not spread")
		}
	})
}

// flaky is a way to the router that can be cut. It notes how long each attempt waited.
type flaky struct {
	router *fakeRouter

	mu    sync.Mutex // protects following
	down  bool
	last  time.Time
	waits []time.Duration
}

func (f *flaky) dial(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waits = append(f.waits, time.Since(f.last))
	f.last = time.Now()
	if f.down {
		return nil, errors.New("nobody listens")
	}
	return f.router.Dial(ctx, network, address)
}

func (f *flaky) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// taken returns the waits since the last call.
func (f *flaky) taken() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	waits := f.waits
	f.waits, f.last = nil, time.Now()
	return waits
}

// The client dials when the backoff says so; a connection that is lost soon does not
// start the row anew, one that lasted does.
func TestReconnectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{router: newPipedRouter(t)}
		c, p := f.router.online(Options{
			PingInterval: -1,
			Reconnect:    Reconnect{Min: time.Second, Max: 8 * time.Second, spread: longest},
			Dial:         f.dial,
		})
		lose := func() {
			f.taken()
			p.Conn.Close()
		}
		relogin := func(what string, want ...time.Duration) {
			t.Helper()
			p = f.router.Accept()
			p.Login()
			synctest.Wait()
			if got := f.taken(); !slices.Equal(got, want) {
				t.Errorf("%s: the client dialled after %v, want %v", what, got, want)
			}
		}

		f.setDown(true)
		lose()
		<-time.After(17 * time.Second) // the bubble's time
		f.setDown(false)
		relogin("router is down", 1*time.Second, 2*time.Second, 4*time.Second, 8*time.Second, 8*time.Second)
		lose()
		relogin("lost soon", 8*time.Second)
		<-time.After(8 * time.Second)
		lose()
		relogin("lost after a while", 1*time.Second)

		go p.Farewell()
		c.Close()
	})
}
