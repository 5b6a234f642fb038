package recorded

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/hometest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

// run plays until t ends.
func run(t *testing.T) *Player {
	t.Helper()
	p, err := New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return p
}

// TestRecordings holds the embedded recordings to those that the tests use.
func TestRecordings(t *testing.T) {
	err := fs.WalkDir(files, "recordings", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		embedded, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		original, err := os.ReadFile(filepath.Join("../../../testdata/fusionpbx/corpus", strings.TrimPrefix(path, "recordings/")))
		if err != nil {
			return err
		}
		if !bytes.Equal(embedded, original) {
			t.Errorf("%s is another recording than in testdata", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMisbehaves has the switch leave and flood, and play on when the client that listens is there again.
func TestMisbehaves(t *testing.T) {
	p := run(t)
	await := func(state string) {
		t.Helper()
		late := time.After(patience)
		for {
			now, changed := p.now()
			if now.State == state {
				return
			}
			select {
			case <-changed:
			case <-late:
				t.Fatalf("the switch is %s, want %s", now.State, state)
			}
		}
	}
	await(playing)
	if !p.order(Flood) {
		t.Fatal("the switch does not take an order")
	}
	await(flooding) // until somebody listens
	if !p.order(Drop) || p.order(Drop) {
		t.Error("of two orders that wait it must take one")
	}
	conn, err := p.Dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = conn.Write([]byte("auth ClueCon\n\nevent plain all\n\n"))
	}()
	for buffer := make([]byte, 64<<10); ; {
		if _, err := conn.Read(buffer); err != nil {
			break // the switch has gone
		}
	}
	await(gone)
	if _, err := p.Dial(t.Context(), ""); err == nil {
		t.Error("a switch that is gone takes a connection")
	}
}

// TestService asks the service for the state and for faults.
func TestService(t *testing.T) {
	p, err := New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.sim.Close)
	h := hometest.Start(t, Service(p, "may_break"), clocktest.New())
	var told State
	if err := json.Unmarshal([]byte(h.Broadcast("state").Payload), &told); err != nil || told.State != playing || told.About == "" {
		t.Errorf("the service tells of %+v, %v", told, err)
	}
	breaker := hometest.Person{Permissions: []string{"may_break"}}
	for _, test := range []struct {
		topic   string
		payload any
		code    int
	}{
		{"state", nil, 200},
		{"misbehave", order{"drop"}, 200},
		{"misbehave", order{"flood"}, 503}, // one waits
		{"misbehave", order{"explode"}, 400},
	} {
		got := h.Answer(h.Ask(breaker, test.topic, test.payload))
		if got.Code != test.code {
			t.Errorf("%s %v: %+v, want %d", test.topic, test.payload, got, test.code)
		}
	}
}
