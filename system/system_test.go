package system

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/system/service"
	"strowger/system/token"
)

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

func testConfig(t testing.TB) *config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Listen.Address = "127.0.0.1:0"
	cfg.Admin.Address = ""
	cfg.Tokens.Directory = t.TempDir()
	if _, measures := t.(*testing.B); measures {
		cfg.Limits.MessageRate, cfg.Limits.ByteRate = 0, 0 // one client stands for many
	}
	return cfg
}

// start runs a system until the test ends.
func start(t testing.TB, cfg *config.Config, list ...*service.Service) *System {
	t.Helper()
	s, _ := startStoppable(t, cfg, list...)
	return s
}

// startStoppable runs a system until stop is called or the test ends.
func startStoppable(t testing.TB, cfg *config.Config, list ...*service.Service) (s *System, stop func()) {
	t.Helper()
	return startLogged(t, cfg, slog.New(slog.DiscardHandler), list...)
}

// startLogged is startStoppable with a log.
func startLogged(t testing.TB, cfg *config.Config, log *slog.Logger, list ...*service.Service) (s *System, stop func()) {
	t.Helper()
	s, err := New(Options{Config: cfg, Log: log}, list...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := s.Stop(ctx); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return s, stop
}

func mint(t testing.TB, dir string, spec token.Spec) client.Token {
	t.Helper()
	made, _, err := token.Create(dir, spec, token.PHP)
	if err != nil {
		t.Fatal(err)
	}
	return client.Token{Name: made.Name, Hash: made.Hash}
}

func dial(s *System, made client.Token, header http.Header) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	source := func(context.Context) (client.Token, error) { return made, nil }
	return client.Dial(ctx, "ws://"+s.Addr().String()+"/", source,
		client.Options{Header: header, ConnectTimeout: patience, Reconnect: client.Reconnect{Disabled: true}})
}

// Of hundreds of connections that present one token at the same instant exactly one gets in.
func TestTokenIsClaimedOnce(t *testing.T) {
	const rivals, rounds = 200, 3
	cfg := testConfig(t)
	s := start(t, cfg)
	for range rounds {
		made := mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User})
		var (
			ready, done sync.WaitGroup
			release     = make(chan struct{})
			mu          sync.Mutex
			in          []*client.Client
			refused     int
		)
		for range rivals {
			ready.Add(1)
			done.Add(1)
			go func() {
				defer done.Done()
				// The token is asked for when the connection is up: all wait here for the last one.
				source := func(context.Context) (client.Token, error) {
					ready.Done()
					<-release
					return made, nil
				}
				ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
				defer cancel()
				c, err := client.Dial(ctx, "ws://"+s.Addr().String()+"/", source,
					client.Options{ConnectTimeout: 3 * patience, Reconnect: client.Reconnect{Disabled: true}})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					in = append(in, c)
				case errors.Is(err, client.ErrUnauthorized):
					refused++
				default:
					t.Errorf("dial: %v", err)
				}
			}()
		}
		ready.Wait()
		close(release)
		done.Wait()
		for _, c := range in {
			_ = c.Close()
		}
		if len(in) != 1 || refused != rivals-1 {
			t.Fatalf("%d got in and %d were refused, want 1 and %d", len(in), refused, rivals-1)
		}
	}
	if got := s.counters().Authentic.Load(); got != rounds {
		t.Errorf("counted %d accepted tokens, want %d", got, rounds)
	}
}

func TestReload(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	stays, err := dial(s, mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	foreign := http.Header{"Origin": {"https://pages.example"}}
	if _, err := dial(s, mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User}), foreign); err == nil {
		t.Fatal("a foreign origin got in before the reload")
	}

	changed := *cfg
	changed.Listen.Origins = []string{"pages.example"}
	changed.Routing.UnknownService = "503"
	changes, err := s.Reload(&changed)
	if err != nil || len(changes.Applied) != 2 || len(changes.Restart) != 0 {
		t.Errorf("reload names %+v, %v, want 2 applied settings", changes, err)
	}

	c, err := dial(s, mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User}), foreign)
	if err != nil {
		t.Fatalf("the origin is not let in after the reload: %v", err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := stays.Request(ctx, "nobody", "t", nil); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("a connection from before the reload gets %v for an unknown service, want 503", err)
	}
}

// What is done from time to time goes by the configuration of the start, whoever reloads meanwhile.
func TestReloadDuringWork(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	changed := *cfg
	changed.Limits.PendingRequests++
	changed.Tokens.UnclaimedAfter = time.Hour // needs a restart
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() {
			for range 20 {
				for _, c := range []*config.Config{&changed, cfg} {
					if _, err := s.Reload(c); err != nil {
						t.Errorf("reload: %v", err)
					}
				}
			}
		})
	}
	work.Go(func() {
		for range 20 {
			if err := s.sweepTokens(t.Context()); err != nil {
				t.Errorf("sweep: %v", err)
			}
		}
	})
	work.Wait()
	if changes, err := s.Reload(&changed); err != nil || len(changes.Applied) != 1 || len(changes.Restart) != 1 {
		t.Errorf("reload names %+v, %v, want an applied setting and one that needs a restart", changes, err)
	}
	if s.cfg.Tokens.UnclaimedAfter != cfg.Tokens.UnclaimedAfter {
		t.Error("a reload changed what needs a restart")
	}
}

// A peer that never answers the close frame and never reads cannot hold up the shutdown.
func TestStopCutsOffStuckPeers(t *testing.T) {
	cfg := testConfig(t)
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 12)
	if _, err := io.ReadFull(conn, first); err != nil || string(first) != "HTTP/1.1 101" {
		t.Fatalf("handshake: %q, %v", first, err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(over); !errors.Is(err, context.Canceled) {
		t.Errorf("stop with a stuck peer returned %v, want its context's error", err)
	}
}

func TestStartFails(t *testing.T) {
	taken := start(t, testConfig(t))
	cases := []struct {
		name string
		edit func(*config.Config)
		want string
	}{
		{"address in use", func(c *config.Config) { c.Listen.Address = taken.Addr().String() }, "listen on"},
		{"no such token directory", func(c *config.Config) { c.Tokens.Directory += "/missing" }, "tokens.directory"},
		{"no such owner", func(c *config.Config) { c.Tokens.Owners = []string{"nobody-of-that-name"} }, "tokens.owners"},
		{"no certificate", func(c *config.Config) { c.Listen.TLSCertificate, c.Listen.TLSKey = "a.pem", "b.pem" }, "load certificate"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			cfg := testConfig(t)
			tc.edit(cfg)
			s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler)})
			if err == nil {
				err = s.Start()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error that says %q", err, tc.want)
			}
		})
	}
}
