package system

import (
	"context"
	"log/slog"
	"testing"

	"strowger/system/internal/introspect"
)

// idleDatabase counts how often it is closed.
type idleDatabase struct{ closed int }

func (d *idleDatabase) Close()                     { d.closed++ }
func (d *idleDatabase) Stats() introspect.Database { return introspect.Database{Queries: 7} }

func TestDatabaseIsCountedAndClosed(t *testing.T) {
	db := new(idleDatabase)
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler), Database: db})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if m := s.source().Metrics().Database; m == nil || m.Queries != 7 {
		t.Errorf("metrics are %+v", m)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil || db.closed != 1 {
		t.Errorf("stop: %v, closed %d times", err, db.closed)
	}
	if m := start(t, testConfig(t)).source().Metrics().Database; m != nil {
		t.Errorf("without a database there are metrics: %+v", m)
	}
}

// busyPanel has refused something.
type busyPanel struct{}

func (busyPanel) Refused() int64 { return 3 }
func (busyPanel) Unasked() int64 { return 4 }

func TestPanelIsCounted(t *testing.T) {
	s, err := New(Options{Config: testConfig(t), Log: slog.New(slog.DiscardHandler), Panel: busyPanel{}})
	if err != nil {
		t.Fatal(err)
	}
	if m := s.source().Metrics().Panel; m == nil || m.Refused != 3 || m.Unasked != 4 {
		t.Errorf("metrics are %+v", m)
	}
	if m := start(t, testConfig(t)).source().Metrics().Panel; m != nil {
		t.Errorf("without a panel there are metrics: %+v", m)
	}
}
