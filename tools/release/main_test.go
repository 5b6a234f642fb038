package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline bounds every wait.
const deadline = 2 * time.Minute

// scratch is a directory for what several tests use. TestMain makes and removes it.
var scratch string

// commit is the one that is released. TestMain sets it, so that commits meanwhile change nothing.
var commit string

// made is a release for linux/amd64 of the commit.
var made = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "dist")
	return dir, makeRelease("../..", dir, nil)
})

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "strowger-release-test-"); err != nil {
		panic(err)
	}
	if commit, err = git(context.Background(), "../..", "rev-parse", "HEAD"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(scratch)
	os.Exit(status)
}

// makeRelease runs the command as task release does.
func makeRelease(repository, out string, env []string, flags ...string) error {
	repository, err := filepath.Abs(repository)
	if err != nil {
		return err
	}
	args := []string{"run", "./release", "-commit", commit, "-version", "1.2.3", "-platforms", "linux/amd64", "-out", out}
	cmd := exec.Command("go", append(args, flags...)...)
	cmd.Dir = filepath.Join(repository, "tools")
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return &failure{err, text}
	}
	return nil
}

// failure is a command that failed, with what it wrote.
type failure struct {
	err  error
	text []byte
}

func (f *failure) Error() string { return f.err.Error() + "\n" + string(f.text) }

// dist returns the directory of the release.
func dist(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a release takes its time")
	}
	dir, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// asRoot skips a test that cannot change the root directory.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
}

// TestReproducible makes the release again, of a clone elsewhere and with nothing that was built before, and compares.
func TestReproducible(t *testing.T) {
	first := dist(t)
	dir := t.TempDir()
	clone := filepath.Join(dir, "a", "longer", "path", "clone")
	if out, err := exec.Command("git", "clone", "-q", "--no-hardlinks", "../..", clone).CombinedOutput(); err != nil {
		t.Fatalf("clone: %v\n%s", err, out)
	}
	second := filepath.Join(dir, "dist")
	// What can change with whoever builds is another here.
	env := []string{"TZ=Asia/Tokyo", "LANG=de_DE.UTF-8", "HOSTNAME=elsewhere", "GOAMD64=v3", "GOFLAGS=-tags=nothing"}
	if err := makeRelease(clone, second, env, "-fresh"); err != nil {
		t.Fatal(err)
	}
	want, got := sumsOf(t, first), sumsOf(t, second)
	if len(want) != 6 {
		t.Errorf("the release has %d files, want 6: %v", len(want), want)
	}
	for name, sum := range want {
		if got[name] != sum {
			t.Errorf("%s is another the second time", name)
		}
	}
}

// sumsOf reads SHA256SUMS and has sha256sum check it, as people do.
func sumsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	check := exec.Command("sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("sha256sum: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{"SHA256SUMS": ""}
	for line := range strings.Lines(string(data)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	return sums
}

// one returns the path of the one file of the release with that end of its name.
func one(t *testing.T, end string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist(t), "*"+end))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files end in %s, want 1 (%v)", len(found), end, err)
	}
	return found[0]
}

// TestArchive unpacks the archive and asks the program for its version.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", one(t, ".tar.gz"), "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	root := filepath.Join(dir, "strowger_1.2.3_linux_amd64")
	out, err := exec.Command(filepath.Join(root, "strowger"), "version").Output()
	if err != nil || !bytes.HasPrefix(out, []byte("strowger 1.2.3 "+commit+" ")) {
		t.Errorf("version is %q, %v", out, err)
	}
	for _, name := range []string{"LICENSE", "LICENCES-OF-OTHERS", "man/strowger.1", "man/strowger-token-create.1", "completions/strowger"} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, empty or missing", name, err)
		}
	}
}

// TestBill looks for a module in the list of parts.
func TestBill(t *testing.T) {
	data, err := os.ReadFile(one(t, ".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"github.com/lxzan/gws"`, `"version": "v1.2.3"`, `"std"`} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("the list has no %s", want)
		}
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"1.2.3": true, "1.2.3-rc.1": true, "0.0.0-20260131090000.gabc": true,
		"": false, "v1.2.3": false, "1.2": false, "1.2.3-": false, "1.2.3 x": false, "1.2.3-rc_1": false, "1.2.3/../x": false, "1.2.3\n": false,
	} {
		if got := versions.MatchString(version); got != want {
			t.Errorf("%q is a version: %v, want %v", version, got, want)
		}
	}
}

func TestPlatforms(t *testing.T) {
	if _, err := parse([]string{"-platforms", "linux/amd64,plan9/amd64"}); err == nil {
		t.Error("an unknown platform is taken")
	}
	o, err := parse(nil)
	if err != nil || len(o.platforms) != len(allPlatforms()) {
		t.Errorf("%d platforms, %v", len(o.platforms), err)
	}
}
