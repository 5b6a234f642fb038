package actors

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The package holds the nouns. Locks, goroutines and the counting of leases belong to package runtime, where
// they are tested without a router around them.
func TestNounsLeaveTheMachineryToTheRuntime(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a lock":               regexp.MustCompile(`\bsync\.(RW)?Mutex\b`),
		"a goroutine":          regexp.MustCompile(`(?m)^\s*go (func|[a-z])`),
		"the count of a lease": regexp.MustCompile(`\.(Retain|Release)\(\)|\bNewLease\(`),
		"a channel":            regexp.MustCompile(`\bchan\b|<-`),
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		looked++
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code := regexp.MustCompile(`//.*`).ReplaceAllString(string(source), "")
		for what, pattern := range forbidden {
			if found := pattern.FindString(code); found != "" {
				t.Errorf("%s holds %s: %s", name, what, strings.TrimSpace(found))
			}
		}
	}
	if looked < 20 {
		t.Errorf("%d files were read: is this the right directory?", looked)
	}
}
