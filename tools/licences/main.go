// Command licences looks at the licence of every module that the program strowger contains, on each platform that is released,
// and of every package of npm in the console's page. It fails if one has no licence, or one that is not permitted here. With -out it writes all of them into one file, as the
// licences themselves ask for.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("module", "..", "`directory` of strowger's module")
	out := flag.String("out", "", "`file` to write the licences to")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintf(os.Stderr, "licences: %v\n", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	modules, err := list(dir)
	if err != nil {
		return err
	}
	packages, err := inPage(filepath.Join(dir, filepath.FromSlash(page)))
	if err != nil {
		return err
	}
	modules = append(modules, packages...)
	var text strings.Builder
	var wrong []error
	for _, m := range modules {
		found, err := m.licences()
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, l := range found {
			fmt.Fprintf(&text, "==== %s %s: %s\n\n%s\n", m.path, m.version, l.name, strings.TrimSpace(l.text)+"\n")
		}
		if out == "" {
			fmt.Println(m.path, m.version, names(found))
		}
	}
	if err := errors.Join(wrong...); err != nil || out == "" {
		return err
	}
	if err := os.WriteFile(out, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write the licences: %w", err)
	}
	return nil
}

// module is one that the program contains.
type module struct{ path, version, dir string }

// list asks the go tool for the modules of the program, on every system that has a release, and for the standard library.
func list(dir string) ([]module, error) {
	var modules []module
	for _, system := range []string{"linux", "darwin", "freebsd", "windows"} {
		// A module that a directory of ours replaces is ours: it has no version.
		const format = "{{with .Module}}{{if not .Main}}" +
			"{{with .Replace}}{{if .Version}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{else}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}{{end}}"
		out, err := goTool(dir, []string{"GOOS=" + system, "GOARCH=amd64"}, "list", "-deps", "-f", format, "./cmd/strowger")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(out) {
			if parts := strings.Split(strings.TrimSpace(line), "\t"); len(parts) == 3 {
				modules = append(modules, module{parts[0], parts[1], parts[2]})
			}
		}
	}
	if len(modules) == 0 {
		return nil, errors.New("no module found: is the reading wrong?")
	}
	root, err := goTool(dir, nil, "env", "GOROOT", "GOVERSION")
	if err != nil {
		return nil, err
	}
	goroot, version, _ := strings.Cut(strings.TrimSpace(root), "\n")
	modules = append(modules, module{"the standard library of Go", version, goroot})
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(modules), nil
}

func goTool(dir string, env []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, &stderr)
	}
	return string(out), nil
}
