package strowger_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"testing"
)

// TestArchitectureNamesFiles wants each file that ARCHITECTURE.md names to exist. A name without a directory stands for a file of
// the directory that was named last.
func TestArchitectureNamesFiles(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	}
	dirs := []string{"."}
	names := regexp.MustCompile(`[a-z][a-z0-9_/]*\.go\b|\b(?:actors|transport|config|system|client|cmd)(?:/[a-z]+)*`).FindAllString(string(page), -1)
	for _, name := range names {
		switch {
		case path.Ext(name) == "":
			dirs = append(dirs, name)
		case path.Dir(name) != ".":
			dirs = append(dirs, path.Dir(name))
		case !slices.ContainsFunc(dirs, func(dir string) bool { return exists(path.Join(dir, name)) }):
			t.Errorf("ARCHITECTURE.md names %s, which is in none of the directories named before it", name)
			continue
		default:
			continue
		}
		if !exists(name) {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", name)
		}
	}
	if len(names) < 50 {
		t.Errorf("ARCHITECTURE.md names %d files and directories: is the reading wrong?", len(names))
	}
}
