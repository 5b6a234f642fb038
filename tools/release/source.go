package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// source is the commit that is released.
type source struct {
	repository string
	commit     string
	time       time.Time // when it was committed; every file of the release has this time
	version    string    // without a v
}

// versions are by semver.org: a number of three parts, and for what comes before it a name.
var versions = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$`)

// readSource asks git for the commit. Without a version it takes that of the tag on the commit, and without a tag one that
// sorts before every release.
func readSource(ctx context.Context, repository, name, version string) (source, error) {
	s := source{repository: repository}
	line, err := git(ctx, repository, "log", "-1", "--format=%H %ct", name, "--")
	if err != nil {
		return s, err
	}
	commit, seconds, _ := strings.Cut(line, " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return s, fmt.Errorf("read the time of commit %s: %w", name, err)
	}
	s.commit, s.time = commit, time.Unix(at, 0).UTC()
	if version == "" {
		// It fails if no tag is on the commit.
		tag, _ := git(ctx, repository, "describe", "--exact-match", "--tags", "--match", "v[0-9]*", commit)
		version = strings.TrimPrefix(tag, "v")
	}
	if version == "" {
		version = "0.0.0-" + s.time.Format("20060102150405") + ".g" + commit[:12]
	}
	if !versions.MatchString(version) {
		return s, fmt.Errorf("version %q is not written like 1.2.3 or 1.2.3-rc.1", version)
	}
	s.version = version
	return s, nil
}

// date returns the time of the commit as programs and packages show it.
func (s source) date() string { return s.time.Format(time.RFC3339) }

// export writes the files of the commit into dir.
func (s source) export(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	archive := exec.CommandContext(ctx, "git", "-C", s.repository, "archive", "--format=tar", s.commit)
	archive.Stderr = os.Stderr
	stream, err := archive.StdoutPipe()
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", dir)
	unpack.Stdin, unpack.Stderr = stream, os.Stderr
	if err := archive.Start(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	unpacked := unpack.Run()
	if err := archive.Wait(); err != nil {
		return fmt.Errorf("export: git archive: %w", err)
	}
	if unpacked != nil {
		return fmt.Errorf("export: tar: %w", unpacked)
	}
	return nil
}

// git runs one command of git and returns its output without the last newline.
func git(ctx context.Context, repository string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", repository}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
