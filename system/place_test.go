package system

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheTreeIsNamedOnce wants the actors at the top to have the names of place.go in the tree that runs, in
// ARCHITECTURE.md and everywhere in this package.
func TestTheTreeIsNamedOnce(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	s := start(t, cfg)
	var got []string
	tree := s.source().Tree()
	for _, node := range tree.Children {
		got = append(got, node.Name)
	}
	started := []string{routerPlace, connectionsPlace, servicesPlace, janitorsPlace, listenerPlace, adminPlace}
	if want := append(slices.Clone(started), egressPlace); tree.Name != rootPlace || !slices.Equal(got, want) {
		t.Errorf("%s has %q, want %s with %q", tree.Name, got, rootPlace, want)
	}
	page, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(servicesPlace, servicesPlace+" (one each)", janitorsPlace, janitorsPlace+" (one each)").
		Replace(rootPlace + ": " + strings.Join(started, ", "))
	if !strings.Contains(string(page), want) {
		t.Errorf("ARCHITECTURE.md does not say %q", want)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.MustCompile(`"root["/]`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") && file != "place.go" && path.Match(text) {
			t.Errorf("%s writes down a path of the tree: use place", file)
		}
	}
}
