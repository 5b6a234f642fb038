package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// page is the source of the console's page in strowger's module.
const page = "system/internal/console/page"

// inPage returns the packages of npm that the lock file in dir lists, without those that only build the page. A release is
// made without npm, so the text of their licences is kept in dir.
func inPage(dir string) ([]module, error) {
	file := filepath.Join(dir, "package-lock.json")
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the packages of the console's page: %w", err)
	}
	var lock struct {
		Packages map[string]struct {
			Version string `json:"version"`
			Dev     bool   `json:"dev"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var packages []module
	var wrong []error
	for place, p := range lock.Packages {
		if place == "" || p.Dev {
			continue // the page itself, or what builds it
		}
		i := strings.LastIndex(place, "node_modules/")
		if i < 0 {
			return nil, fmt.Errorf("%s: %q is no package", file, place)
		}
		name := place[i+len("node_modules/"):]
		kept := filepath.Join(dir, "licences", filepath.FromSlash(name))
		if _, err := os.Stat(kept); err != nil {
			wrong = append(wrong, fmt.Errorf("%s is in the console's page: copy its licence to %s", name, kept))
			continue
		}
		packages = append(packages, module{"npm " + name, p.Version, kept})
	}
	if len(packages) == 0 && len(wrong) == 0 {
		return nil, fmt.Errorf("%s: no package found: is the reading wrong?", file)
	}
	slices.SortFunc(packages, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return packages, errors.Join(wrong...)
}
