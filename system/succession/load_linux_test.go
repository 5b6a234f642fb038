package succession

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

// clients is how many clients an upgrade must not disturb; STROWGER_UPGRADE_CLIENTS sets another number.
func clients(t *testing.T) int {
	t.Helper()
	text := os.Getenv("STROWGER_UPGRADE_CLIENTS")
	if text == "" {
		return 200
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("STROWGER_UPGRADE_CLIENTS=%q: want a number such as 10000", text)
	}
	return n
}

// counting broadcasts the next number, from 0 on, whenever it is asked to, and echoes.
func counting() *service.Service {
	return &service.Service{Name: "counting", Setup: func(s service.Setup) error {
		n := 0
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.Handle("next", func(r service.Request) error {
			r.Broadcast("n", n)
			n++
			r.Reply(nil)
			return nil
		})
		return nil
	}}
}

// watcher is a client that hears all numbers and asks all the time.
type watcher struct {
	client *client.Client
	heard  atomic.Int64 // numbers, over all watchers

	mu    sync.Mutex // Protects following.
	next  int        // the number that must come
	wrong error
}

func (w *watcher) hear(m client.Message) {
	if m.Topic != "n" {
		return
	}
	var n int
	err := json.Unmarshal(m.Payload, &n)
	w.mu.Lock()
	defer w.mu.Unlock()
	if (err != nil || n != w.next || m.Missed > 0) && w.wrong == nil {
		w.wrong = fmt.Errorf("%s came in place of %d, %d missed, %v", m.Payload, w.next, m.Missed, err)
	}
	w.next++
	w.heard.Store(int64(w.next))
}

// ask echoes numbers until ctx ends, and counts the answers.
func (w *watcher) ask(ctx context.Context, answers *atomic.Int64) error {
	for i := 0; ctx.Err() == nil; i++ {
		reply, err := w.client.Request(context.Background(), "counting", "echo", i)
		if err != nil {
			return err
		}
		if string(reply.Payload) != strconv.Itoa(i) {
			return fmt.Errorf("%s was echoed for %d", reply.Payload, i)
		}
		answers.Add(1)
	}
	return nil
}

// TestUpgradeUnderLoad upgrades ten times in a row while many clients hear and ask. Nobody loses a message or is
// disconnected, and all comes once and in order.
func TestUpgradeUnderLoad(t *testing.T) {
	many := clients(t)
	r := run(t, open)
	watchers := make([]*watcher, many)
	for i := range watchers {
		watchers[i] = new(watcher)
		watchers[i].client = r.connect(token.Spec{Kind: token.User, Services: []string{"counting"}, Permissions: []string{"a", "b", fmt.Sprint("c", i%7)}})
		watchers[i].client.Listen("counting", watchers[i].hear)
	}
	r.serve(counting())
	asker := r.connect(token.Spec{Kind: token.User})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var load sync.WaitGroup
	var answers atomic.Int64
	for i, w := range watchers {
		if i >= 500 {
			break // who only listens has its load too
		}
		load.Go(func() {
			if err := w.ask(ctx, &answers); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
	}
	numbers := 0
	load.Go(func() {
		for ; ctx.Err() == nil; numbers++ {
			if _, err := asker.Request(context.Background(), "counting", "next", nil); err != nil {
				t.Errorf("next number: %v", err)
				return
			}
		}
	})
	for i := range 10 {
		u := r.upgrade()
		if u.Connections < many || u.Closed != 0 {
			t.Errorf("upgrade %d: %d connections have crossed, %d were closed, want all of %d", i, u.Connections, u.Closed, many)
		}
		t.Logf("upgrade %d: %d connections, pause p50 %v, p99 %v, max %v", i, u.Connections, u.P50, u.P99, u.Max)
	}
	r.metric("strowger_upgrade_done_total", 10)
	r.metric("strowger_transport_open_connections", many+3)
	cancel()
	load.Wait()
	late := time.Now().Add(patience)
	for i, w := range watchers {
		for w.heard.Load() < int64(numbers) && time.Now().Before(late) && w.client.State() == client.StateOnline {
			// A request comes back after all that was said before it.
			if _, err := w.client.Request(context.Background(), "counting", "echo", 0); err != nil {
				t.Errorf("client %d: %v", i, err)
				break
			}
		}
		w.mu.Lock()
		if w.wrong != nil || w.next != numbers {
			t.Errorf("client %d has heard %d of %d numbers: %v", i, w.next, numbers, w.wrong)
		}
		w.mu.Unlock()
		if state := w.client.State(); state != client.StateOnline {
			t.Errorf("client %d is %v", i, state)
		}
	}
	if numbers == 0 || answers.Load() == 0 {
		t.Errorf("%d numbers, %d answers", numbers, answers.Load())
	}
	t.Logf("%d clients: each heard %d numbers, all together got %d answers", many, numbers, answers.Load())
}
