package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// release is one under way.
type release struct {
	source
	out   string // what is published
	work  string // everything else
	tools string // directory of the module with the pinned tools
	fresh bool   // use nothing of the program that was built before
}

// make fills the directory of the release.
func (r *release) make(ctx context.Context, platforms []platform) error {
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return fmt.Errorf("empty the directory of the release: %w", err)
	}
	if err := r.export(ctx, r.tree()); err != nil {
		return err
	}
	if err := r.documents(ctx); err != nil {
		return err
	}
	for _, p := range platforms {
		fmt.Println(p)
		if err := r.platform(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return r.sums()
}

// platform makes all files of one platform.
func (r *release) platform(ctx context.Context, p platform) error {
	if err := r.build(ctx, p); err != nil {
		return err
	}
	if err := r.archive(p); err != nil {
		return err
	}
	if err := r.bill(ctx, p); err != nil {
		return err
	}
	if p.os != "linux" {
		return nil
	}
	if err := r.packages(ctx, p); err != nil {
		return err
	}
	return r.image(p)
}

// tree returns the directory with the files of the commit.
func (r *release) tree() string { return filepath.Join(r.work, "source") }

// program returns the path of the program that build makes.
func (r *release) program(p platform) string {
	return filepath.Join(r.work, "build", p.file(), p.binary())
}

// published returns the path of a file of the release: strowger_VERSION_ and what follows.
func (r *release) published(rest string) string {
	return filepath.Join(r.out, "strowger_"+r.version+"_"+rest)
}

// build makes the program for one platform.
func (r *release) build(ctx context.Context, p platform) error {
	return r.compile(ctx, p, r.program(p))
}

// compile builds the program, static and without symbols.
func (r *release) compile(ctx context.Context, p platform, path string, flags ...string) error {
	set := fmt.Sprintf("-s -w -X main.releaseVersion=%s -X main.releaseCommit=%s -X main.releaseDate=%s", r.version, r.commit, r.date())
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", set, "-o", path}, flags...)
	env := p.environment()
	if r.fresh {
		env = append(env, "GOCACHE="+filepath.Join(r.work, "cache"))
	}
	return r.command(ctx, r.tree(), env, "go", append(args, "./cmd/strowger")...)
}

// tool builds one of the tools that tools/go.mod pins, and returns its path.
func (r *release) tool(ctx context.Context, pkg string) (string, error) {
	path := filepath.Join(r.work, "tools", filepath.Base(pkg))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, r.command(ctx, r.tools, ours(), "go", "build", "-o", path, pkg)
}

// ours are the settings with which the programs of tools/ are built and run.
func ours() []string { return []string{"GOWORK=off", "GOFLAGS=-mod=readonly"} }

// command runs a program in dir. It sees the time of the commit as SOURCE_DATE_EPOCH.
func (r *release) command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(r.time.Unix(), 10), "TZ=UTC", "LC_ALL=C"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), args[0], err, out)
	}
	return nil
}
