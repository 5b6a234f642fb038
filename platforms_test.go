package strowger_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPlatforms wants .ci/run to build for the platforms that README.md names, and for no others.
func TestPlatforms(t *testing.T) {
	read := func(file, pattern string) string {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindSubmatch(data)
		if found == nil {
			t.Fatalf("%s has no %s", file, pattern)
		}
		return strings.Join(strings.Fields(string(found[1])), " ")
	}
	var named []string
	list := read("README.md", `It runs on ((?s:.*?));`)
	for _, m := range regexp.MustCompile(`(\w+) \(([^)]*)\)`).FindAllStringSubmatch(list, -1) {
		system := map[string]string{"Linux": "linux", "macOS": "darwin", "FreeBSD": "freebsd", "Windows": "windows"}[m[1]]
		for architecture := range strings.SplitSeq(m[2], ", ") {
			named = append(named, system+"/"+architecture)
		}
	}
	built := strings.Fields(read(".ci/run", `for platform in ([^;]*);`))
	slices.Sort(named)
	slices.Sort(built)
	if !slices.Equal(named, built) {
		t.Errorf("README.md names %v, .ci/run builds %v", named, built)
	}
}
