// Package conformance plays recorded conversations to a running daemon, over real sockets, and
// compares what it answers with what was recorded. The conversations were held with the router
// that strowger takes the place of; where that one was plainly wrong, a transcript of our own says
// what is right, and departures says why.
//
// Run one scenario with
//
//	go test ./system/conformance -run 'TestConformance/default/NAME$' -v
package conformance

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"strowger/system/internal/daemontest"
)

// testdata is the corpus, seen from this package.
const testdata = "../../testdata/conformance"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := waitInParallel(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// waitInParallel lets as many scenarios run at once as there are daemons, whatever the number of
// processors, unless the command line says otherwise.
func waitInParallel() error {
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if asked {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(poolSize))
}

// TestConformance plays every scenario to a daemon set up as strowger.yaml says.
func TestConformance(t *testing.T) {
	dependOnSources(t)
	scenarios := loadScenarios(t)
	t.Log("\n" + report(scenarios))
	pool := openPool(t)
	t.Run("default", func(t *testing.T) {
		for _, sc := range scenarios {
			t.Run(sc.Name, func(t *testing.T) {
				t.Parallel()
				checkScenario(t, pool, sc, expected(t, sc, sc.Name))
			})
		}
	})
}

// TestUnknownServiceAnswered plays those scenarios that ask a service which is not there to a
// daemon that answers 503 instead of nothing.
func TestUnknownServiceAnswered(t *testing.T) {
	if os.Getenv("STROWGER_ADDR") != "" {
		t.Skip("STROWGER_ADDR is set: a foreign daemon cannot be set up otherwise")
	}
	dependOnSources(t)
	d, err := serve(buildDaemon(t), t.TempDir(), "STROWGER_ROUTING__UNKNOWN_SERVICE=503")
	if err != nil {
		t.Fatal(err)
	}
	pool := &pool{free: make(chan *daemontest.Daemon, 1)}
	pool.free <- d
	t.Cleanup(func() { pool.stop(t) })
	for _, sc := range loadScenarios(t) {
		name := sc.Name + ".503"
		if _, err := os.Stat(wantFile(name)); err != nil {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) { checkScenario(t, pool, sc, expected(t, sc, name)) })
	}
}

// checkScenario plays sc and fails t where the transcript is not want.
func checkScenario(t *testing.T, pool *pool, sc scenario, want []string) {
	t.Helper()
	pool.lend(t, func(d *daemontest.Daemon) bool {
		got := play(at(d.Addr), d.TokenDir, patienceFor(want), slices.Concat(sc.Steps, departures()[sc.Name].then))
		if diff := compare(want, got); diff != "" {
			t.Errorf("%s\n%s", sc.Desc, diff)
			t.Logf("the end of the daemon's log:\n%s", d.Log())
		}
		return got[len(got)-1] == "probe: router alive"
	})
}

// at has all connections go to one address.
func at(addr string) func(conn string) string { return func(string) string { return addr } }

// dependOnSources looks at every source of the module, which makes the go tool run the test again
// when one changed: it knows of files that a test opens, not of the daemon that a test builds.
func dependOnSources(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err == nil && entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err // reading the directories is enough
	})
	if err != nil {
		t.Fatal(err)
	}
}
