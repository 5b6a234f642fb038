package system

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// fewDescriptors starts a system that believes to have so few.
func fewDescriptors(t *testing.T, n, connections int) (*System, *journal) {
	t.Helper()
	cfg := testConfig(t)
	cfg.Limits.Connections, cfg.Limits.ServiceReserve = connections, 0
	j := new(journal)
	s, err := New(Options{Config: cfg, Log: slog.New(slog.NewJSONHandler(j, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.descriptors = n
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s, j
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.String()
}

func TestTooFewDescriptors(t *testing.T) {
	s, j := fewDescriptors(t, 98, 60)
	if got := j.String(); !strings.Contains(got, `"level":"WARN","msg":"too few file descriptors`) ||
		!strings.Contains(got, `"descriptors":98,"limit":60,"connections":49`) {
		t.Errorf("no warning with both numbers in %s", got)
	}
	for range 49 {
		join(t, s, user("a.example", nil))
	}
	if status, _ := knock(t, s, "a.example", ""); status != 503 {
		t.Errorf("status %d, want 503", status)
	}
	if line := j.await(t, "descriptors"); line["descriptors"] != 98.0 || !strings.Contains(line["setting"].(string), "LimitNOFILE") {
		t.Errorf("got %v, want the number and the setting", line)
	}
	problems := s.source().Ready()
	if len(problems) != 1 || problems[0].Part != "connections" || !strings.Contains(problems[0].Reason, "98 file descriptors") {
		t.Errorf("ready: %v, want what is missing", problems)
	}
}

func TestEnoughDescriptors(t *testing.T) {
	_, j := fewDescriptors(t, 200, 60)
	if strings.Contains(j.String(), "too few") {
		t.Errorf("a warning in %s", j)
	}
}

func TestReadyTellsThatAllPlacesAreTaken(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Connections = 2
	s := start(t, cfg)
	join(t, s, user("a.example", nil))
	if p := s.source().Ready(); len(p) != 0 {
		t.Fatalf("with one place left: %v", p)
	}
	join(t, s, user("a.example", nil))
	if p := s.source().Ready(); len(p) != 1 || p[0].Part != "connections" || !strings.Contains(p[0].Reason, "limits.connections is reached: 2") {
		t.Fatalf("with none left: %v", p)
	}
}

// A service gets in while one host opens silent connections again and again.
func TestServiceGetsInDuringAFlood(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Connections = 50
	s, j := startJournal(t, cfg)
	for range 200 {
		knock(t, s, "a.example", "")
	}
	join(t, s, remote("clock", "clock_service"))
	if line := j.await(t, "unauthenticated"); line["setting"] != "limits.unauthenticated" || line["limit"] != 25.0 {
		t.Errorf("got %v, want the setting and the number", line)
	}
	if n := s.source().Metrics().Cut["unauthenticated"]; n < 175 {
		t.Errorf("counted %d, want 175 or more", n)
	}
}

// Clients with good tokens cannot keep a service out. Who is turned away may come again with its token.
func TestServiceGetsInThoughClientsHaveTheirPlaces(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Connections, cfg.Limits.ServiceReserve = 8, 1
	s, j := startJournal(t, cfg)
	var in []*peer
	for range 7 {
		in = append(in, join(t, s, user("a.example", nil)))
	}
	if p := s.source().Ready(); len(p) != 1 || !strings.Contains(p[0].Reason, "all 7 places that limits.service_reserve leaves") {
		t.Errorf("ready: %v", p)
	}
	late := mint(t, cfg.Tokens.Directory, user("a.example", nil))
	p := connectAt(t, s.Addr().String())
	p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, late.Name, late.Hash)
	<-p.closed
	if p.code != 1013 {
		t.Errorf("closed with %d, want 1013", p.code)
	}
	if line := j.await(t, "client_places"); line["setting"] != "limits.connections, limits.service_reserve" {
		t.Errorf("got %v, want the settings", line)
	}
	join(t, s, remote("clock", "clock_service"))
	if m := s.source().Metrics(); m.Clients != 7 || m.Cut["client_places"] != 1 || m.Refused != 0 {
		t.Errorf("%d clients, %d turned away, %d tokens refused; want 7, 1 and 0", m.Clients, m.Cut["client_places"], m.Refused)
	}
	in[0].leave()
	eventually(t, "a place is free", func() bool { return s.source().Metrics().Clients == 6 })
	connectAt(t, s.Addr().String()).authenticate(late)
}
