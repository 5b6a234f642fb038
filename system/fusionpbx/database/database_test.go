package database

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"strowger/config"
	"strowger/system/fusionpbx/database/databasetest"
)

// TestPostgreSQL has one server for all that needs a real one. Each subtest has a database of its own.
func TestPostgreSQL(t *testing.T) {
	cluster := databasetest.Start(t)
	for name, test := range map[string]func(*testing.T, *databasetest.Cluster){
		"about itself":              testAbout,
		"settings":                  testSettings,
		"rooms and conferences":     testConferences,
		"names are kept":            testNamesAreKept,
		"a name is asked once":      testNameIsAskedOnce,
		"extensions":                testExtensions,
		"odd extensions":            testOddExtensions,
		"flags as texts":            testFlagsAsTexts,
		"queues and agents":         testQueuesAndAgents,
		"context of an extension":   testUserContext,
		"status of a user":          testUserStatus,
		"status of an agent":        testAgentStatus,
		"reading changes nothing":   testReadOnly,
		"wrong password":            testWrongPassword,
		"no such database":          testNoSuchDatabase,
		"other tables":              testOtherTables,
		"slow query":                testSlowQuery,
		"caller gives up":           testCallerGivesUp,
		"too many rows":             testTooManyRows,
		"more callers than servers": testManyCallers,
	} {
		t.Run(name, func(t *testing.T) { test(t, cluster) })
	}
	t.Run("stopped and started", func(t *testing.T) { testStoppedAndStarted(t, cluster) })
}

func testSettings(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	s.exec(`insert into v_default_settings values
		(gen_random_uuid(), 'websocket_server', 'bind_ip_address', 'text', '192.0.2.1', null, true),
		(gen_random_uuid(), 'websocket_server', 'bind_port', 'numeric', '9000', null, true),
		(gen_random_uuid(), 'websocket_server', 'secret', 'text', 'x', null, true),
		(gen_random_uuid(), 'system', 'cpu_status_refresh_interval', 'text', '7', 2, true),
		(gen_random_uuid(), 'system', 'cpu_status_refresh_interval', 'text', '6', 1, true),
		(gen_random_uuid(), 'system', 'network_interface', 'text', '', null, true),
		(gen_random_uuid(), 'email', 'smtp_password', 'text', 'y', null, true)`)
	found, err := s.Settings(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, f := range found {
		got[f.Category+"/"+f.Subcategory] = append(got[f.Category+"/"+f.Subcategory], f.Type+" "+f.Value)
	}
	for name, want := range map[string][]string{
		"websocket_server/bind_ip_address":    {"text 192.0.2.1"},
		"websocket_server/bind_port":          {"numeric 9000"},
		"websocket_server/secret":             nil,
		"system/cpu_status_refresh_interval":  {"text 6", "text 7"},
		"system/network_interface":            nil, // empty
		"email/smtp_password":                 nil,
		"operator_panel/agent_stats_interval": {"numeric 10"},
		"operator_panel/show_unregistered":    nil, // not enabled
		"active_conferences/reconnect_delay":  {"numeric 2000"},
		"active_calls/screen_pop_enabled":     {"boolean false"},
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	once, err := ReadSettings(ctx(t), Options{Server: s.server, Timeout: time.Minute})
	if err != nil || !reflect.DeepEqual(once, found) {
		t.Errorf("ReadSettings returns %v and %d settings, want the same %d", err, len(once), len(found))
	}
}

func testReadOnly(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	err := s.run(ctx(t), reads, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "update v_users set user_status = 'x'")
		return err
	})
	wantUnavailable(t, err, "takes no changes")
	if got := s.text("select count(*)::text from v_users where user_status = 'x'"); got != "0" {
		t.Errorf("a query changed %s rows", got)
	}
	if err := s.Check(ctx(t)); err != nil {
		t.Errorf("the database is not asked any more: %v", err)
	}
}

func testWrongPassword(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Server.Password = "secret two" })
	err := s.Check(ctx(t))
	wantUnavailable(t, err, "user or the password")
	if text := err.Error() + s.log.String(); strings.Contains(text, "secret") {
		t.Errorf("the password shows: %s", text)
	}
}

func testNoSuchDatabase(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Server.Name = `no such "database'` })
	wantUnavailable(t, s.Check(ctx(t)), "does not exist")
}

func testOtherTables(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	s.exec("drop table v_call_center_queues; alter table v_extensions rename column call_group to callgroup")
	_, err := s.Queues(ctx(t), domainA)
	wantUnavailable(t, err, "other tables")
	_, err = s.Extensions(ctx(t), domainA)
	wantUnavailable(t, err, "other tables")
	if agents, err := s.Agents(ctx(t), domainA); err != nil || len(agents) != 2 {
		t.Errorf("what has its tables answers %v, %v", agents, err)
	}
}

// testSlowQuery wants a query that waits for a lock to end, and the server not to go on with it.
func testSlowQuery(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Timeout = 300 * time.Millisecond })
	_ = s.Check(ctx(t)) // connected, unless the machine is very slow, which has the same end
	err := s.lock("v_call_center_queues", func() error {
		_, err := s.Queues(ctx(t), domainA)
		s.awaitNobodyWaits()
		return err
	})
	wantUnavailable(t, err, "in time")
	if _, err := s.Agents(ctx(t), domainA); err == nil {
		t.Error("a database that does not answer is asked again at once")
	}
	if !strings.Contains(s.log.String(), "database is not available") {
		t.Errorf("the log does not say so: %s", s.log)
	}
}

// lock runs f while a table is locked.
func (s *site) lock(table string, f func() error) error {
	s.t.Helper()
	cfg, err := poolConfig(&Options{Server: s.server, Timeout: time.Minute, Connections: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(ctx(s.t), cfg.ConnConfig)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx(s.t), "begin; lock table "+table); err != nil {
		s.t.Fatal(err)
	}
	return f()
}

// awaitNobodyWaits returns when the server has no query that waits for the lock.
func (s *site) awaitNobodyWaits() {
	s.t.Helper()
	for s.text("select count(*)::text from pg_locks where not granted") != "0" {
		if ctx(s.t).Err() != nil {
			s.t.Fatal("the server still works on a query that nobody waits for")
		}
	}
}

func testCallerGivesUp(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	err := s.lock("v_call_center_queues", func() error {
		c, cancel := context.WithCancel(ctx(t))
		defer cancel()
		ended := make(chan error)
		go func() {
			_, err := s.Queues(c, domainA)
			ended <- err
		}()
		for s.text("select count(*)::text from pg_locks where not granted") == "0" {
		}
		cancel()
		return <-ended
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Errorf("error is %v, want that the caller gave up", err)
	}
	if err := s.Check(ctx(t)); err != nil {
		t.Errorf("the next one gets %v", err)
	}
}

func testTooManyRows(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Rows = 6 })
	if _, err := s.Extensions(ctx(t), domainA); !errors.Is(err, ErrTooManyRows) {
		t.Errorf("seven rows: error is %v, want ErrTooManyRows", err)
	}
	if rows, err := s.Extensions(ctx(t), domainB); err != nil || len(rows) != 6 {
		t.Errorf("six rows: %d, %v", len(rows), err)
	}
}

func testManyCallers(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Connections = 2 })
	errs := make(chan error)
	for range 20 {
		go func() {
			_, err := s.Extensions(ctx(t), domainA)
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := s.Stats(); got.Connections > 2 || got.Queries != 20 || got.Failed != 0 || !got.Up {
		t.Errorf("stats are %+v, want 20 queries over at most 2 connections", got)
	}
}

// testStoppedAndStarted wants a DB that lives through an outage: names that are known stay, others get an
// error, and all is well after the first pause when the server is back.
func testStoppedAndStarted(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	if c, err := s.Conference(ctx(t), "3001", domainA); err != nil || c.Name != "Sales Standup" {
		t.Fatalf("conference is %+v, %v", c, err)
	}
	cluster.Stop()
	defer cluster.Start()
	s.clock.Advance(time.Hour) // the name is old
	_, err := s.Agents(ctx(t), domainA)
	wantUnavailable(t, err, "")
	if c, err := s.Conference(ctx(t), "3001", domainA); err != nil || c.Name != "Sales Standup" {
		t.Errorf("an old name is %+v, %v while the database is down", c, err)
	}
	c, err := s.Conference(ctx(t), "3002", domainA)
	if c.Name != "3002" {
		t.Errorf("a name that nobody knows is %+v, want the extension", c)
	}
	wantUnavailable(t, err, "")
	asked := s.Stats().Queries
	wantUnavailable(t, s.SetAgentStatus(ctx(t), manager(domainA), "agent5", "On Break"), "")
	if now := s.Stats(); now.Queries != asked || now.Up {
		t.Errorf("a database that is down is asked again before the pause is over: %+v", now)
	}
	for range 5 {
		s.clock.Advance(longestPause)
		wantUnavailable(t, s.Check(ctx(t)), "reached")
	}
	if n := strings.Count(s.log.String(), "not available"); n > 2 {
		t.Errorf("%d lines say that the database is down:\n%s", n, s.log)
	}
	cluster.Start()
	s.clock.Advance(longestPause)
	if agents, err := s.Agents(ctx(t), domainA); err != nil || len(agents) != 2 {
		t.Errorf("the database is back and answers %v, %v", agents, err)
	}
	if !strings.Contains(s.log.String(), "available again") || !s.Stats().Up {
		t.Errorf("the log does not say that it is back:\n%s", s.log)
	}
	cluster.Stop() // the deferred Start starts it once more
}

func TestDatabasesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		server config.Database
		reason string
	}{
		"nothing given": {config.Database{}, "names no database"},
		"SQLite":        {config.Database{Type: "sqlite", Name: "fusionpbx.db"}, "SQLite, which is not supported"},
		"SQLite 3":      {config.Database{Type: "SQLite3"}, "SQLite, which is not supported"},
		"MySQL":         {config.Database{Type: "mysql", Host: "127.0.0.1"}, "not PostgreSQL"},
		"odd sslmode":   {config.Database{Type: "pgsql", Host: "127.0.0.1", SSLMode: "x"}, "sslmode"},
	} {
		t.Run(name, func(t *testing.T) {
			db := Open(Options{Server: c.server})
			defer db.Close()
			wantUnavailable(t, db.Err(), c.reason)
			if !errors.As(db.Err(), new(*UnavailableError)) || !db.broken.Permanent {
				t.Errorf("%v is not permanent", db.Err())
			}
			_, err := db.Extensions(ctx(t), domainA)
			wantUnavailable(t, err, c.reason)
			_, err = ReadSettings(ctx(t), Options{Server: c.server})
			wantUnavailable(t, err, c.reason)
			if found, err := db.Conference(ctx(t), "3001", domainA); found.Name != "3001" || err == nil {
				t.Errorf("conference is %+v, %v", found, err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	_, err = ReadSettings(ctx(t), Options{Server: config.Database{Host: "127.0.0.1", Port: port, Name: "x", Username: "y"}, Timeout: time.Minute})
	wantUnavailable(t, err, "cannot be reached")
}

// TestSilentServer has a server that takes connections and says nothing.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := Options{
		Server:  config.Database{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Name: "x", Username: "y"},
		Timeout: 50 * time.Millisecond,
	}
	_, err = ReadSettings(ctx(t), o)
	wantUnavailable(t, err, "in time")
}
