package database

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/config"
	"strowger/system/fusionpbx/database/databasetest"
)

const (
	domainA = "a.example.com"
	domainB = "b.example.com"
)

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex // Protects text.
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// site is a database of a test's own with the site in it.
type site struct {
	*DB
	t       *testing.T
	cluster *databasetest.Cluster
	server  config.Database
	clock   *clocktest.Clock
	log     *journal
}

// newSite opens a new database. A test that is not about time has much of it.
func newSite(t *testing.T, cluster *databasetest.Cluster, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, cluster: cluster, server: cluster.Database(), clock: clocktest.New(), log: new(journal)}
	o := Options{Server: s.server, Timeout: time.Minute, Clock: s.clock, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	for _, f := range change {
		f(&o)
	}
	s.DB = Open(o)
	t.Cleanup(func() {
		s.Close()
		if strings.Contains(s.log.String(), databasetest.Password) {
			t.Errorf("the log shows the password: %s", s.log)
		}
	})
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// exec changes the database past the DB.
func (s *site) exec(sql string) {
	s.t.Helper()
	s.cluster.Exec(s.server.Name, sql)
}

func (s *site) text(sql string) string {
	s.t.Helper()
	return s.cluster.Text(s.server.Name, sql)
}

// wantUnavailable wants err to say why there is no answer, with a part of the reason.
func wantUnavailable(t *testing.T, err error, reason string) {
	t.Helper()
	found, ok := errors.AsType[*UnavailableError](err)
	switch {
	case !ok || !errors.Is(err, ErrUnavailable):
		t.Fatalf("error is %v, want one that says that the database is not available", err)
	case !strings.Contains(found.Reason, reason):
		t.Errorf("the reason is %q (%v), want %q in it", found.Reason, found.Err, reason)
	case strings.Contains(err.Error(), databasetest.Password):
		t.Errorf("the error shows the password: %v", err)
	}
}

func ctx(t *testing.T) context.Context { return t.Context() }
