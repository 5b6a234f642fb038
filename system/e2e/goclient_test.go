package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/token"
)

// goWatcher compares numbers that were broadcast one after the other with what came of them.
type goWatcher struct {
	mu    sync.Mutex // Protects the rest.
	got   watched
	last  int64
	noise int
}

func (w *goWatcher) take(m client.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var n int64
	if m.Topic != "number" || json.Unmarshal(m.Payload, &n) != nil {
		w.noise++
		return
	}
	w.got.Received++
	w.got.Missed += int(m.Missed)
	if m.Gap {
		w.got.Gaps++
	}
	before := w.last
	w.last = n
	if before == 0 || n == before+1 || n > before && m.Gap {
		return
	}
	w.got.Wrong = append(w.got.Wrong, fmt.Sprintf("%d after %d, gap %v", n, before, m.Gap))
}

// TestGoClientOnAFlakyNetwork has the Go client listen with a filter while its connections are cut, stall and are left half
// open: each number comes, or a gap is told. With a history nothing is lost.
func TestGoClientOnAFlakyNetwork(t *testing.T) {
	const faults = 60
	for name, test := range map[string]struct {
		settings string
		options  client.Options
	}{
		"without a history": {"tokens: {tickets: 5m}\n", client.Options{Resume: true}},
		"with a history":    {"policies: {lab_plain_service: {scopes: [{to: all}], history: {messages: 100000, bytes: 32MiB}}}\n", client.Options{Recover: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, test.settings)
			n := &numbers{seen: map[string]int{}, noisy: true}
			serveLab(t, d.Addr, d.TokenDir, n.service())
			proxy := startFlaky(t, d.Addr)
			mint := &token.Mint{Dir: d.TokenDir, Spec: token.Spec{Services: []string{numbersName}, UserName: "ada", ClaimWithin: time.Minute}}
			defer mint.Close()
			made, gaps := 0, atomic.Int64{}
			o := test.options
			o.Filters = map[string]client.Filter{numbersName: {Topics: []string{"number", "end"}}}
			o.PingInterval = 300 * time.Millisecond
			o.Limits.QueueMessages = 1 << 20
			o.Reconnect = client.Reconnect{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond, Refusals: -1, FromStart: true}
			o.OnGap = func(client.Gap) { gaps.Add(1) }
			broken, stop := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(broken)
				breakConnections(proxy, n, faults, 3_000, stop)
			}()
			defer func() { close(stop); <-broken }()
			c, err := client.Dial(t.Context(), "ws://"+proxy.addr+"/websockets/", func(context.Context) (client.Token, error) {
				made++
				token, err := mint.Make()
				return client.Token{Name: token.Name, Hash: token.Hash}, err
			}, o)
			if err != nil {
				t.Fatal(err)
			}
			w := new(goWatcher)
			ended := make(chan struct{})
			end := sync.OnceFunc(func() { close(ended) })
			c.Listen(numbersName, func(m client.Message) {
				if m.Topic == "end" {
					end()
					return
				}
				w.take(m)
			})
			select {
			case <-ended:
			case <-time.After(3 * deadline):
				t.Errorf("no end comes for %v", 3*deadline)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d faults, numbers to %d: %+v; %d gaps told, %d tokens", faults, n.said.Load(), w.got, gaps.Load(), made)
			if len(w.got.Wrong) > 0 || w.got.Received == 0 || w.got.Missed > 0 || w.noise > 0 {
				t.Errorf("%+v, %d that the filter does not pass", w.got, w.noise)
			}
			if recovers := test.options.Recover; recovers != (w.got.Gaps == 0) || recovers != (gaps.Load() == 0) {
				t.Errorf("%d gaps, %d told", w.got.Gaps, gaps.Load())
			}
		})
	}
}
