package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// packages makes the deb and the rpm, by deploy/package/nfpm.yaml.
func (r *release) packages(ctx context.Context, p platform) error {
	tool, err := r.tool(ctx, "github.com/goreleaser/nfpm/v2/cmd/nfpm")
	if err != nil {
		return err
	}
	stage := filepath.Join(r.work, "stage", p.file())
	if err := r.stage(stage, p); err != nil {
		return err
	}
	arch := p.arch
	if arch == "arm" {
		arch = "arm6" // nfpm's name for what platform.environment asks for
	}
	env := []string{"PACKAGE_ARCH=" + arch, "PACKAGE_VERSION=" + r.version}
	for _, kind := range []string{"deb", "rpm"} {
		if err := r.command(ctx, stage, env, tool, "package", "-f", "nfpm.yaml", "-p", kind, "-t", r.published(p.file()+"."+kind)); err != nil {
			return err
		}
	}
	return nil
}

// stage lays out what nfpm.yaml names, with the time of the commit.
func (r *release) stage(dir string, p platform) error {
	files := map[string]string{
		"strowger":                  r.program(p),
		"LICENSE":                   filepath.Join(r.tree(), "LICENSE"),
		"LICENCES-OF-OTHERS":        r.licences(),
		"completions/strowger":      filepath.Join(r.completions(), shells()["bash"]),
		"completions/_strowger":     filepath.Join(r.completions(), shells()["zsh"]),
		"completions/strowger.fish": filepath.Join(r.completions(), shells()["fish"]),
	}
	for pattern, below := range map[string]string{"deploy/package/*": "", "docs/*.md": "docs"} {
		found, err := filepath.Glob(filepath.Join(r.tree(), filepath.FromSlash(pattern)))
		if err != nil {
			return fmt.Errorf("lay out the package: %w", err)
		}
		for _, path := range found {
			files[filepath.Join(below, filepath.Base(path))] = path
		}
	}
	for name, from := range files {
		data, err := os.ReadFile(from)
		if err != nil {
			return fmt.Errorf("lay out the package: %w", err)
		}
		if err := r.place(filepath.Join(dir, name), data); err != nil {
			return err
		}
	}
	pages, err := r.pages()
	if err != nil {
		return err
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			return fmt.Errorf("lay out the package: %w", err)
		}
		if data, err = compress(data); err != nil {
			return err
		}
		if err := r.place(filepath.Join(dir, "man", filepath.Base(page)+".gz"), data); err != nil {
			return err
		}
	}
	return nil
}

// place writes one file of a package.
func (r *release) place(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("lay out the package: %w", err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("lay out the package: %w", err)
	}
	if err := os.Chtimes(path, r.time, r.time); err != nil {
		return fmt.Errorf("lay out the package: %w", err)
	}
	return nil
}
