package database

import (
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/database/databasetest"
)

func testAbout(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	before := time.Now().Add(-time.Minute)
	about, err := s.About(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(about.Version, ".") || about.Now.Before(before) || about.Now.After(time.Now().Add(time.Minute)) {
		t.Errorf("the database is %+v", about)
	}
}
