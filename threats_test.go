package strowger_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreats wants each attack in THREATS.md to have tests, and each test to exist.
func TestThreats(t *testing.T) {
	page, err := os.ReadFile("THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, attacks, found := strings.Cut(string(page), "\n## Attacks\n")
	attacks, _, ended := strings.Cut(attacks, "\n## ")
	if !found || !ended {
		t.Fatal("THREATS.md has no section of attacks, or nothing after it")
	}
	place := regexp.MustCompile(`^[a-z0-9/]+ (Test|Fuzz)\w+$`)
	rows := 0
	for line := range strings.Lines(attacks) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| Attack |") {
			continue
		}
		rows++
		if len(cells) != 3 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		for _, test := range strings.Split(cells[2], ",") {
			test = strings.TrimSpace(test)
			if !place.MatchString(test) {
				t.Errorf("%s: %q is not a directory and a test", strings.TrimSpace(cells[0]), test)
				continue
			}
			if dir, name, _ := strings.Cut(test, " "); !declares(t, dir, name) {
				t.Errorf("%s: there is no %s in %s", strings.TrimSpace(cells[0]), name, dir)
			}
		}
	}
	if rows < 50 {
		t.Errorf("%d attacks: is the reading wrong?", rows)
	}
	security, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(security), "(THREATS.md)") {
		t.Error("SECURITY.md does not lead to THREATS.md")
	}
}

// declares reports whether a directory has a test or a fuzz test of a name.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
