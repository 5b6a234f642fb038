package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"strowger/config"
	"strowger/system"
	"strowger/system/service/servicetest"
)

func TestClock(t *testing.T) {
	c := servicetest.Start(t, clock, servicetest.Options{}).Call(t)
	c.Send("now", `1`, "")
	for _, want := range []string{"now", "tick"} {
		m := servicetest.NextBut(c)
		if _, err := time.Parse(time.RFC3339, strings.Trim(string(m.Payload), `"`)); err != nil || m.Topic != want {
			t.Errorf("%s says %s: %v", m.Topic, m.Payload, err)
		}
	}
}

// TestRefusedTokensDoNotStayBehind runs a router that looks for tokens elsewhere.
func TestRefusedTokensDoNotStayBehind(t *testing.T) {
	cfg := config.Default()
	cfg.Listen.Address, cfg.Admin.Address = "127.0.0.1:0", ""
	cfg.Tokens.Directory = t.TempDir()
	refused := make(seen, 1)
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.NewTextHandler(refused, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := router.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	tokens := t.TempDir()
	go func() { ended <- serve(ctx, "ws://"+router.Addr().String()+"/", tokens) }()
	<-refused
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(tokens)
	if err != nil || len(left) > 0 {
		t.Errorf("%d tokens stayed behind, %v", len(left), err)
	}
}

// seen receives when the router's log tells of a refused token.
type seen chan struct{}

func (s seen) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "token not found") {
		select {
		case s <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// TestPages checks that the pages show this very service, and that it is as small as they say.
func TestPages(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "var clock")
	body, _, ok := strings.Cut(rest, "\n}\n")
	smallest := "var clock" + body + "\n}\n"
	if lines := strings.Count(smallest, "\n"); !ok || lines >= 20 {
		t.Errorf("the service has %d lines", lines)
	}
	for _, page := range []string{"../../README.md", "../../docs/services.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), smallest) {
			t.Errorf("%s does not show\n%s", page, smallest)
		}
	}
}
