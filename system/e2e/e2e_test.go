// Package e2e runs the daemon with the peers it is there for: services and clients in PHP and Python, and the
// pages' clients in a browser, and the TypeScript client in a browser and in Node. PHP, Python, Chromium and Node have to be
// installed; without one its tests are skipped, or fail where STROWGER_REQUIRE_PHP, STROWGER_REQUIRE_PYTHON,
// STROWGER_REQUIRE_BROWSER or STROWGER_REQUIRE_NODE is 1. The daemon is built
// from this module, or is the binary that STROWGER_BINARY names.
package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// deadline is how long anything may take that is expected to happen.
const deadline = 2 * time.Minute

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	if err := dependOnSources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "strowger-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = sync.OnceValues(func() (string, error) { return buildDaemon(dir) })
	return m.Run()
}

// dependOnSources looks at every directory of the module, which makes the go tool run the tests again
// when something changed: it knows of files that a test opens, not of those that its peers do.
func dependOnSources() error {
	root := filepath.Join("..", "..")
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err == nil && entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
}

// binary returns the path of the daemon's binary, which the first call builds.
var binary func() (string, error)

func buildDaemon(dir string) (string, error) {
	if given := os.Getenv("STROWGER_BINARY"); given != "" {
		return given, nil
	}
	return daemontest.Build(dir)
}

// lookPath finds the first of the programs. Where there is none t is skipped, or fails if the
// environment variable require is 1.
func lookPath(t *testing.T, require string, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	if os.Getenv(require) == "1" {
		t.Fatalf("%v: none is installed and %s is 1", programs, require)
	}
	t.Skipf("%v: none is installed", programs)
	return ""
}
