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
