package strowger_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDependencies counts what a program takes over with one of the public packages: modules of
// others, each of which somebody has to look at, update and trust.
func TestDependencies(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go tool")
	}
	for dir, test := range map[string]struct {
		most   int
		reason string
	}{
		"client":                 {6, "a program that only dials takes a WebSocket library over and nothing else"},
		"system/service/process": {30, "a service in a child process takes over what runs a service, and neither a router nor a client"},
		"system/service":         {1, "a service is written against the standard library, this module and, for policies, YAML"},
	} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			list := exec.CommandContext(t.Context(), goTool, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./"+dir)
			out, err := list.Output()
			if err != nil {
				t.Fatalf("go list: %v", err)
			}
			modules := strings.Fields(string(out))
			slices.Sort(modules)
			modules = slices.Compact(modules)
			if len(modules) > test.most {
				t.Errorf("%s has %d modules, at most %d are allowed: %s\n%s", dir, len(modules), test.most, test.reason, strings.Join(modules, "\n"))
			}
			if test.most > 0 && len(modules) == 0 {
				t.Error("no module found: is the reading wrong?")
			}
			t.Logf("%d modules: %s", len(modules), strings.Join(modules, " "))
		})
	}
}
