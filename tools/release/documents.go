package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// shells are those that the program has completions for, with the name that each wants for the file.
func shells() map[string]string {
	return map[string]string{"bash": "strowger", "zsh": "_strowger", "fish": "strowger.fish", "powershell": "strowger.ps1"}
}

// documents writes the manual, the completions and the licences, which are the same on every platform. A program of the same
// source writes them; it is built with the tag man and runs here.
func (r *release) documents(ctx context.Context) error {
	writer := filepath.Join(r.work, "build", "writer")
	if err := r.compile(ctx, platform{runtime.GOOS, runtime.GOARCH}, writer, "-tags", "man"); err != nil {
		return err
	}
	for _, dir := range []string{r.manual(), r.completions()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("write documents: %w", err)
		}
	}
	if err := r.command(ctx, r.work, nil, writer, "man", r.manual()); err != nil {
		return err
	}
	for shell, name := range shells() {
		out, err := exec.CommandContext(ctx, writer, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("write the completion of %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(r.completions(), name), out, 0o644); err != nil {
			return fmt.Errorf("write documents: %w", err)
		}
	}
	return r.command(ctx, r.tools, ours(), "go", "run", "./licences", "-module", r.tree(), "-out", r.licences())
}

func (r *release) manual() string      { return filepath.Join(r.work, "man") }
func (r *release) completions() string { return filepath.Join(r.work, "completions") }

// licences returns the path of the licences of all modules that a program contains.
func (r *release) licences() string { return filepath.Join(r.work, "LICENCES-OF-OTHERS") }

// pages returns the paths of the pages of the manual.
func (r *release) pages() ([]string, error) {
	pages, err := filepath.Glob(filepath.Join(r.manual(), "*.1"))
	if err == nil && len(pages) == 0 {
		err = fmt.Errorf("no page of the manual in %s", r.manual())
	}
	return pages, err
}

// compress returns data as gzip writes it without a name and a time.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}
