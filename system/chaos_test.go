package system

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/service"
	"strowger/system/token"
)

// chaosSeeds returns the seeds and how long each lasts. STROWGER_CHAOS sets another number of seeds and another time, such as
// 200x5s, and STROWGER_CHAOS_SEED the first seed.
func chaosSeeds(t *testing.T) (first uint64, count int, each time.Duration) {
	t.Helper()
	first, count, each = 1, 3, time.Second
	if text := os.Getenv("STROWGER_CHAOS"); text != "" {
		n, length, _ := strings.Cut(text, "x")
		var err, also error
		count, err = strconv.Atoi(n)
		each, also = time.ParseDuration(length)
		if err != nil || also != nil || count < 1 || each <= 0 {
			t.Fatalf("STROWGER_CHAOS=%q: want a number of seeds and a time, such as 200x5s", text)
		}
	}
	if text := os.Getenv("STROWGER_CHAOS_SEED"); text != "" {
		var err error
		if first, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return first, count, each
}

// The services of the chaos.
const (
	ledgerName  = "ledger"  // remote; says entries of two domains, numbered in each
	echoName    = "echo"    // remote, several instances that die, hang and leave
	fragileName = "fragile" // inside; echoes, and panics, ends or dawdles
	secretName  = "secret"  // inside; no client may ask it
)

var chaosDomains = []string{"a.example", "b.example"}

// chaos is one run: a router, what goes wrong around it, and what has been seen of it.
type chaos struct {
	t      *testing.T
	seed   uint64
	s      *System
	cfg    *config.Config
	proxy  *cutter
	tokens string

	asked, answered, lostWith, entries, gaps, visits atomic.Int64

	moves atomic.Int64 // of the directory of tokens, away and back

	mu    sync.Mutex // Protects wrong.
	wrong []string
}

// fail notes something that must not be.
func (c *chaos) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

// random returns a source of its own for each part, so that what one part does leaves the others as they are.
func (c *chaos) random(part uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, part)) }

// mint makes a token, however long its directory is away.
func (c *chaos) mint(ctx context.Context, spec token.Spec) (client.Token, bool) {
	for ctx.Err() == nil {
		made, _, err := token.Create(c.tokens, spec, token.JSON)
		if err == nil {
			return client.Token{Name: made.Name, Hash: made.Hash}, true
		}
		if !errors.Is(err, os.ErrNotExist) {
			c.fail("make a token: %v", err)
			return client.Token{}, false
		}
		pauseFor(ctx, time.Millisecond)
	}
	return client.Token{}, false
}

// pauseFor waits, at most until ctx ends.
func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func chaosConfig(t *testing.T) *config.Config {
	cfg := testConfig(t)
	cfg.Listen.HTTP, cfg.Listen.Compression = true, true
	cfg.Routing.Instances, cfg.Routing.Unanswered, cfg.Routing.UnknownService = "failover", "504", "404"
	cfg.Routing.RequestTimeout, cfg.Routing.EjectAfter, cfg.Routing.EjectPause = 2*time.Second, 3, 100*time.Millisecond
	cfg.Limits.OutboundMessages = 200
	cfg.Policies = map[string]policy.Policy{
		"ledger_service": {Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d"}}}, History: policy.History{Messages: 50_000, Bytes: 64 << 20, Age: 5 * time.Second}},
		"echo_service":   {Scopes: []policy.Scope{{To: policy.All}}},
	}
	return cfg
}

// fragile echoes. Some requests make it panic, end its goroutine, or take its time.
func fragile() *service.Service {
	return &service.Service{Name: fragileName, Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.Handle("panic", func(service.Request) error { panic("as it was asked to") })
		s.Handle("exit", func(service.Request) error { runtime.Goexit(); return nil })
		s.Handle("later", func(r service.Request) error {
			r.Go(func(context.Context) func() { return func() { r.Reply(r.Payload()) } })
			return nil
		})
		return nil
	}, Supervision: service.Supervision{Intensity: 1 << 30, Period: 10 * time.Millisecond, Backoff: time.Millisecond, BackoffCap: 5 * time.Millisecond}}
}

// unaskable is a service that no policy lets anybody ask.
func unaskable() *service.Service {
	return &service.Service{Name: secretName, Setup: func(s service.Setup) error {
		s.Handle("echo", func(r service.Request) error { r.Reply("it was told"); return nil })
		return nil
	}, Policy: &policy.Policy{Scopes: []policy.Scope{{To: policy.None}}}}
}

// TestChaos lets clients of every kind, services that crash, cut networks, reloads and a token store that goes away loose on a
// router for a while. Each client keeps books: each request has one outcome, entries come in order and of the own domain, and
// what is missing was told. In the end nothing is left, and neither is a router in memory.
func TestChaos(t *testing.T) {
	first, count, each := chaosSeeds(t)
	var descriptors int
	var routers []weak.Pointer[System]
	for seed := first; seed < first+uint64(count); seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { routers = append(routers, runSeed(t, seed, each)) }) {
			t.Logf("again with STROWGER_CHAOS=1x%v STROWGER_CHAOS_SEED=%d", each, seed)
			return
		}
		runtime.GC()
		if seed == first {
			descriptors = descriptorsOpen() // those of the runtime, and of a token directory until the collector finds it
		}
		eventually(t, "no descriptor is left open", func() bool {
			runtime.GC()
			return descriptorsOpen() <= descriptors+1
		})
	}
	for i, router := range routers {
		awaitCollected(t, fmt.Sprintf("the router of seed %d", first+uint64(i)), router)
	}
}

// runSeed runs one seed, and returns its router, which has stopped.
func runSeed(t *testing.T, seed uint64, length time.Duration) weak.Pointer[System] {
	c := &chaos{t: t, seed: seed, cfg: chaosConfig(t)}
	c.tokens = c.cfg.Tokens.Directory
	c.run(length)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.wrong {
		t.Error(text)
	}
	return weak.Make(c.s)
}

// run starts everything, lets it go wrong for a while, and looks at what is left.
func (c *chaos) run(length time.Duration) {
	s, stop := startLogged(c.t, c.cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), fragile(), unaskable())
	c.s, c.proxy = s, startCutter(c.t, s.Addr().String())
	serving, leave := context.WithCancel(context.Background())
	defer leave()
	trouble, calm := context.WithTimeout(serving, length)
	defer calm()

	var services, clients, faults sync.WaitGroup
	// The ledger is let in before anything goes wrong: without it nobody has an entry to miss.
	ledger := c.speak(serving, s.Addr().String(), remote(ledgerName, "ledger_service"))
	if ledger == nil {
		c.t.Fatal("the ledger is not let in")
	}
	services.Go(func() { c.keepLedger(serving, trouble, ledger) })
	for i := range 3 {
		services.Go(func() { c.serveEcho(serving, trouble, uint64(100+i)) })
	}
	for i := range 40 {
		w := &wanderer{c: c, random: c.random(uint64(1000 + i)), domain: chaosDomains[i%2], number: i}
		clients.Go(func() { w.live(trouble) })
	}
	for i := range 6 {
		clients.Go(func() { c.intrude(trouble, c.random(uint64(2000+i))) })
		clients.Go(func() { c.askByHTTP(trouble, c.random(uint64(3000+i))) })
	}
	faults.Go(func() { c.breakThings(trouble) })
	faults.Wait()
	clients.Wait()
	leave()
	services.Wait()
	c.t.Logf("seed %d: %d visits, %d requests: %d answered, %d lost with their connection; %d entries, %d gaps told; %d panics",
		c.seed, c.visits.Load(), c.asked.Load(), c.answered.Load(), c.lostWith.Load(), c.entries.Load(), c.gaps.Load(), s.services.get(fragileName).instance.Counters().Panics.Load())
	c.nothingLeft()
	stop()
}

// nothingLeft waits until the router holds nothing for anybody any more.
func (c *chaos) nothingLeft() {
	eventually(c.t, "no connection is left", func() bool { return c.s.Connections() == 0 })
	eventually(c.t, "no open request is left", func() bool { return c.s.counters().Kept.Load() == 0 })
	eventually(c.t, "nothing waits for anybody", func() bool { return c.s.egress.WaitingBytes() == 0 })
	eventually(c.t, "no name is left but those inside and the one with a history", func() bool {
		n := 0
		for route := range c.s.deps.Registry.All() {
			if route.Name != fragileName && route.Name != secretName && route.Name != ledgerName && !strings.HasPrefix(route.Name, "dashboard") {
				n++
			}
		}
		return n == 0
	})
	if n := c.s.counters().Panics.Load(); n != 0 {
		c.fail("%d actors have panicked", n)
	}
}
