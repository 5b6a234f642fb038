package database

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"strowger/system/fusionpbx/database/databasetest"
)

func testConferences(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	for name, c := range map[string]struct {
		key, domain string
		want        Conference
		unasked     bool
	}{
		"room":                    {"ab000000-0000-4000-8000-00000000c0de", domainA, Conference{`Board Room Zürich "1"`, true}, false},
		"room in capitals":        {"AB000000-0000-4000-8000-00000000C0DE", domainA, Conference{`Board Room Zürich "1"`, true}, false},
		"room of another domain":  {"ab000000-0000-4000-8000-0000000000bb", domainA, Conference{"ab000000-0000-4000-8000-0000000000bb", false}, false},
		"unknown room":            {"ab000000-0000-4000-8000-00000000dead", domainA, Conference{"ab000000-0000-4000-8000-00000000dead", false}, false},
		"conference":              {"3001", domainA, Conference{"Sales Standup", true}, false},
		"same number elsewhere":   {"3001", domainB, Conference{"B Standup", true}, false},
		"unknown number":          {"3009", domainA, Conference{"3009", false}, false},
		"unknown domain":          {"3001", "c.example.com", Conference{"3001", false}, false},
		"no number":               {"3001' or true --", domainA, Conference{"3001' or true --", false}, true},
		"no domain":               {"3001", "", Conference{"3001", false}, true},
		"zero byte in the domain": {"3001", "a\x00", Conference{"3001", false}, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.Stats().Queries
			got, err := s.Conference(ctx(t), c.key, c.domain)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
			if asked := s.Stats().Queries - before; asked > 0 && c.unasked {
				t.Errorf("the database was asked for what it cannot have")
			}
			if again, known := s.CachedConference(c.key, c.domain); !known || again != c.want {
				t.Errorf("kept is %+v, %v", again, known)
			}
		})
	}
}

// testNameIsAskedOnce has many ask for one name while the database is slow.
func testNameIsAskedOnce(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	names := make(chan string)
	err := s.lock("v_conferences", func() error {
		gaveUp, cancel := context.WithCancel(ctx(t))
		first := make(chan error)
		go func() {
			_, err := s.Conference(gaveUp, "3001", domainA)
			first <- err
		}()
		for s.text("select count(*)::text from pg_locks where not granted") == "0" {
		}
		for range 20 {
			go func() {
				c, err := s.Conference(ctx(t), "3001", domainA)
				if err != nil {
					t.Error(err)
				}
				names <- c.Name
			}()
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up gets %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if name := <-names; name != "Sales Standup" {
			t.Errorf("name is %q", name)
		}
	}
	if n := s.Stats().Queries; n != 1 {
		t.Errorf("the database was asked %d times, want once", n)
	}
}

func testNamesAreKept(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster, func(o *Options) { o.Names = 3; o.NameAge = time.Minute })
	name := func(key string) string {
		t.Helper()
		c, err := s.Conference(ctx(t), key, domainA)
		if err != nil {
			t.Fatal(err)
		}
		return c.Name
	}
	name("3001")
	s.exec("update v_conferences set conference_name = 'New' where conference_extension = '3001'")
	s.clock.Advance(time.Minute - 1)
	if got := name("3001"); got != "Sales Standup" {
		t.Errorf("a young name is %q, want the one that was read", got)
	}
	s.clock.Advance(1)
	if _, known := s.CachedConference("3001", domainA); known {
		t.Error("an old name counts as known")
	}
	if got := name("3001"); got != "New" {
		t.Errorf("an old name is %q, want the new one", got)
	}
	for number := range 10 {
		name(strconv.Itoa(4000 + number))
		name("3001")
	}
	if stats := s.Stats(); stats.Names != 3 || stats.NameHits != 11 || stats.NameMisses != 12 {
		t.Errorf("stats are %+v, want 3 names, 11 hits and 12 misses", stats)
	}
}
