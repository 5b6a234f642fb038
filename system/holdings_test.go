package system

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors"
	"strowger/client"
	"strowger/config"
)

func reclaimConfig(t *testing.T) *config.Config {
	cfg := testConfig(t)
	cfg.Tokens.Reclaim = 5 * time.Minute
	cfg.Tokens.ReclaimFile = filepath.Join(t.TempDir(), "reclaim")
	return cfg
}

// comeBack shows a token that is used up, and wants it to be accepted or not.
func comeBack(t *testing.T, s *System, made client.Token, let bool) *peer {
	t.Helper()
	p := connectAt(t, s.Addr().String())
	if let {
		p.authenticate(made)
		return p
	}
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
	p.gets(`401 authentication/unauthorized #"" null`)
	return p
}

// How a connection ended decides whether its holder may come back.
func TestComingBack(t *testing.T) {
	raw := func(frame ...byte) func(*testing.T, *peer) {
		return func(t *testing.T, p *peer) {
			if _, err := p.conn.NetConn().Write(frame); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		end func(*testing.T, *peer)
		let bool
	}{
		"network lost":      {func(_ *testing.T, p *peer) { p.conn.NetConn().Close() }, true},
		"logout, 1000":      {func(_ *testing.T, p *peer) { p.conn.WriteClose(1000, nil) }, false},
		"page left, 1001":   {func(_ *testing.T, p *peer) { p.conn.WriteClose(1001, nil) }, false},
		"closed, no code":   {raw(0x88, 0x80, 0, 0, 0, 0), true},
		"closed, own code":  {raw(0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa0), true}, // 4000
		"protocol error":    {raw(0xff, 0x80, 0, 0, 0, 0), true},
		"a message too big": {func(_ *testing.T, p *peer) { p.conn.WriteString(strings.Repeat("x", 2<<20)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, reclaimConfig(t))
			made := mint(t, s.cfg.Tokens.Directory, user("a.example", nil))
			p := connectAt(t, s.Addr().String())
			p.authenticate(made)
			c.end(t, p)
			comeBack(t, s, made, c.let)
			if got := s.source().Metrics().Reclaimed; got == 1 != c.let {
				t.Errorf("%d came back", got)
			}
		})
	}
}

// TestComingBackIsOff has the setting off, as without FusionPBX, and then switched on by a reload.
func TestComingBackIsOff(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	made := mint(t, cfg.Tokens.Directory, user("a.example", nil))
	comeBack(t, s, made, true).conn.NetConn().Close()
	comeBack(t, s, made, false)
	on := *cfg
	on.Tokens.Reclaim = time.Minute
	if _, err := s.Reload(&on); err != nil {
		t.Fatal(err)
	}
	comeBack(t, s, made, false) // nobody kept it
	made = mint(t, cfg.Tokens.Directory, user("a.example", nil))
	comeBack(t, s, made, true).conn.NetConn().Close()
	comeBack(t, s, made, true)
}

// A connection that answers pings keeps its token, one that does not gives it up.
func TestSilentConnectionGivesWay(t *testing.T) {
	s := start(t, reclaimConfig(t))
	made := mint(t, s.cfg.Tokens.Directory, user("a.example", nil))
	first := comeBack(t, s, made, true)
	comeBack(t, s, made, false)
	first.sendf(`{"service":"authentication","request_id":"1"}`) // it is still there
	first.gets(`200 authentication/authenticated #"1" null`)

	other := mint(t, s.cfg.Tokens.Directory, user("a.example", nil))
	deaf := connectDeaf(t, s)
	if _, err := deaf.Write(clientText(`{"service":"authentication","token":{"name":"` + other.Name + `","hash":"` + other.Hash + `"}}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the token is accepted", func() bool { return s.counters().Authentic.Load() == 2 })
	comeBack(t, s, other, true)
}

// connectDeaf returns a connection that nobody reads from.
func connectDeaf(t *testing.T, s *System) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	request := "GET / HTTP/1.1\r\nHost: " + s.Addr().String() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// clientText returns a text as a masked frame.
func clientText(text string) []byte {
	frame := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}
	return append(frame, text...)
}

// The address is the client's, also behind a proxy that is trusted.
func TestComingBackFromElsewhere(t *testing.T) {
	cfg := reclaimConfig(t)
	cfg.Listen.TrustedProxies = []string{"127.0.0.1"}
	s := start(t, cfg)
	made := mint(t, cfg.Tokens.Directory, user("a.example", nil))
	show := func(address string, let bool) {
		t.Helper()
		p := connectWith(t, s.Addr().String(), http.Header{"X-Forwarded-For": {address}})
		p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
		want := `401 authentication/unauthorized #"" null`
		if let {
			want = `200 authentication/authenticated #"" null`
		}
		p.gets(want)
		p.conn.NetConn().Close()
		<-p.closed
	}
	show("192.0.2.1", true)
	show("192.0.2.2", false)
	show("192.0.2.1, 127.0.0.1", true)
}

// TestRestart stops a router with open connections, and has their holders come back to the next one.
func TestRestart(t *testing.T) {
	cfg := reclaimConfig(t)
	s, stop := startStoppable(t, cfg)
	spec := user("a.example", []string{"see", "hear"}, "remote")
	spec.Limit = time.Hour
	open, lost, left := mint(t, cfg.Tokens.Directory, spec), mint(t, cfg.Tokens.Directory, spec), mint(t, cfg.Tokens.Directory, spec)
	comeBack(t, s, open, true)
	comeBack(t, s, lost, true).conn.NetConn().Close()
	comeBack(t, s, left, true).leave()
	eventually(t, "the router knows of the two that have gone", func() bool { return s.Connections() == 1 })
	stop()
	info, err := os.Stat(cfg.Tokens.ReclaimFile)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("file is %v, %v, want mode 0600", info, err)
	}
	data, err := os.ReadFile(cfg.Tokens.ReclaimFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, made := range []client.Token{open, lost} {
		if bytes.Contains(data, []byte(made.Name)) || bytes.Contains(data, []byte(made.Hash)) {
			t.Error("the file holds a token")
		}
	}

	next, stopNext := startStoppable(t, cfg)
	if _, err := os.Stat(cfg.Tokens.ReclaimFile); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	comeBack(t, next, open, true)
	comeBack(t, next, lost, true)
	comeBack(t, next, left, false)
	comeBack(t, next, open, false) // it is in use
	stopNext()
	if len(comeBack(t, start(t, cfg), lost, true).got) != 0 {
		t.Error("more came than the 200")
	}
}

// An empty list leaves no file, and without a place there is none.
func TestNothingToKeep(t *testing.T) {
	cfg := reclaimConfig(t)
	_, stop := startStoppable(t, cfg)
	stop()
	if _, err := os.Stat(cfg.Tokens.ReclaimFile); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
	cfg.Tokens.ReclaimFile = ""
	s := start(t, cfg)
	if path := s.holdingsPath(); path != "" {
		t.Errorf("the file for a port that nobody knows is %s", path)
	}
	s.cfg.Listen.Address = "127.0.0.1:8080"
	if got, want := s.holdingsPath(), filepath.Join(cfg.Tokens.Directory, ".strowger-reclaim-8080"); got != want {
		t.Errorf("the file is %s, want %s", got, want)
	}
	s.cfg.Listen.Address = "127.0.0.1:0"
}

// A file that somebody else could have written, or that is damaged, lets nobody in, and the router starts.
func TestFileThatIsNoGood(t *testing.T) {
	key := strings.Repeat("ab", 32)
	good := `{"version":1,"grants":[["see"]],"holdings":[{"key":"` + key + `","address":"127.0.0.1","until":"2999-01-01T00:00:00Z","grant":0}]}`
	write := func(text string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(text), mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		make func(*testing.T, string)
		want string // in the log
	}{
		"good":            {write(good, 0o600), "can be claimed again"},
		"others may read": {write(good, 0o640), "its mode is 0640, want 0600"},
		"damaged":         {write(good[:40], 0o600), "unexpected end"},
		"empty":           {write("", 0o600), "unexpected end"},
		"other version":   {write(strings.Replace(good, "1", "7", 1), 0o600), "it has version 7"},
		"short key":       {write(strings.Replace(good, key, key[:62], 1), 0o600), "token 1 of it is damaged"},
		"long key":        {write(strings.Replace(good, key, key+"00", 1), 0o600), "token 1 of it is damaged"},
		"odd key":         {write(strings.Replace(good, key, "xy"+key[2:], 1), 0o600), "token 1 of it is damaged"},
		"no such grant":   {write(strings.Replace(good, `"grant":0`, `"grant":1`, 1), 0o600), "token 1 of it is damaged"},
		"symbolic link": {func(t *testing.T, path string) {
			write(good, 0o600)(t, path+".real")
			if err := os.Symlink(path+".real", path); err != nil {
				t.Fatal(err)
			}
		}, "too many levels of symbolic links"},
		"second link": {func(t *testing.T, path string) {
			write(good, 0o600)(t, path)
			if err := os.Link(path, path+".second"); err != nil {
				t.Fatal(err)
			}
		}, "it has 2 links"},
		"directory": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "it is no regular file"},
		"another's": {func(t *testing.T, path string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			write(good, 0o600)(t, path)
			if err := os.Chown(path, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}, "it belongs to user 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := reclaimConfig(t)
			c.make(t, cfg.Tokens.ReclaimFile)
			var log syncBuffer
			s, err := New(Options{Config: cfg, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			kept := s.deps.Holdings(patience)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := s.Stop(ctx); err != nil {
				t.Error(err)
			}
			if !strings.Contains(log.String(), c.want) {
				t.Errorf("the log does not say %q:\n%s", c.want, log.String())
			}
			if (len(kept) == 1) != (name == "good") {
				t.Errorf("%d tokens are known", len(kept))
			}
		})
	}
}

// Whatever stands in the file, it is refused or read, and what is read is written and read as the same.
func FuzzHoldings(f *testing.F) {
	key := strings.Repeat("ab", 32)
	f.Add([]byte(`{"version":1,"grants":[["see"],null],"holdings":[{"key":"` + key + `","address":"::1","until":"2999-01-01T00:00:00Z","expires_at":"2999-01-01T00:00:00+01:00","grant":1,"services":["s"],"extensions":["1@a"]}]}`))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, err := readHoldings(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(holdingsOf(kept))
		if err != nil {
			return // a year beyond 9999
		}
		again, err := readHoldings(text)
		if err != nil || len(again) != len(kept) {
			t.Fatalf("%d tokens are read again as %d: %v", len(kept), len(again), err)
		}
		for i, h := range kept {
			if again[i].Key != h.Key || again[i].Address != h.Address || !again[i].Until.Equal(h.Until) ||
				again[i].Credentials.UserName != h.Credentials.UserName || !slices.Equal(again[i].Credentials.Permissions, h.Credentials.Permissions) {
				t.Fatalf("%+v is read again as %+v", h, again[i])
			}
		}
	})
}

// A time further away than the setting allows is cut, one that has passed is dropped.
func TestYoung(t *testing.T) {
	now := time.Now()
	list := young([]*actors.Holding{{Until: now}, {Until: now.Add(time.Hour)}, {Until: now.Add(time.Minute)}}, now, 2*time.Minute)
	if len(list) != 2 || !list[0].Until.Equal(now.Add(2*time.Minute)) || !list[1].Until.Equal(now.Add(time.Minute)) {
		t.Errorf("left are %+v", list)
	}
}

type syncBuffer struct {
	mu   sync.Mutex // Protects text.
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
