//go:build unix

package token

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// claimDir names the directory to a test binary that was started as a claimant.
const claimDir = "STROWGER_TEST_CLAIM_DIR"

// quickExit keeps the race detector from waiting a second at the end.
const quickExit = "GORACE=atexit_sleep_ms=0"

// nobody is a user id without rights.
const nobody = 65_534

func TestMain(m *testing.M) {
	if dir := os.Getenv(claimDir); dir != "" {
		if err := claimLines(dir, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// claimLines reads lines NAME SPACE HASH up to an empty one, says "ready",
// waits for one more line and claims each token from several goroutines at
// once. It prints NAME SPACE ERROR for every claim.
func claimLines(dir string, in io.Reader, out io.Writer) error {
	const goroutines = 4
	s, err := Open(Options{Dir: dir, Owners: []int{nobody}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	var tokens [][2]string
	lines := bufio.NewScanner(in)
	for lines.Scan() && lines.Text() != "" {
		name, hash, _ := strings.Cut(lines.Text(), " ")
		tokens = append(tokens, [2]string{name, hash})
	}
	fmt.Fprintln(out, "ready")
	if !lines.Scan() {
		return errors.New("no start signal")
	}
	var mu sync.Mutex // Protects out.
	var done sync.WaitGroup
	for range goroutines {
		done.Go(func() {
			for _, token := range tokens {
				_, err := s.Claim(token[0], token[1])
				mu.Lock()
				fmt.Fprintln(out, token[0], err)
				mu.Unlock()
			}
		})
	}
	done.Wait()
	return nil
}

// claimant is a test binary that runs claimLines.
type claimant struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr strings.Builder
}

// startClaimant starts binary as the given user and waits until it is ready.
func startClaimant(t *testing.T, binary, dir string, uid int, tokens []*Token) *claimant {
	t.Helper()
	c := &claimant{cmd: exec.CommandContext(t.Context(), binary)}
	c.cmd.Env = append(os.Environ(), claimDir+"="+dir, quickExit)
	c.cmd.Dir = dir
	c.cmd.Stderr = &c.stderr
	if uid != os.Geteuid() {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		fmt.Fprintln(c.in, token.Name, token.Hash)
	}
	fmt.Fprintln(c.in)
	if !c.out.Scan() || c.out.Text() != "ready" {
		t.Fatalf("claimant is not ready: %q, %v\n%s", c.out.Text(), c.cmd.Wait(), &c.stderr)
	}
	return c
}

// results returns the outcomes of the claims, by token name.
func (c *claimant) results(t *testing.T) map[string][]string {
	t.Helper()
	outcomes := make(map[string][]string)
	for c.out.Scan() {
		name, outcome, _ := strings.Cut(c.out.Text(), " ")
		outcomes[name] = append(outcomes[name], outcome)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("claimant: %v\n%s", err, &c.stderr)
	}
	return outcomes
}

func (c *claimant) start(t *testing.T) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, "go"); err != nil {
		t.Fatal(err)
	}
}

// TestClaimIsExactlyOnceBetweenProcesses lets processes go for the same tokens.
func TestClaimIsExactlyOnceBetweenProcesses(t *testing.T) {
	const processes, tokens = 3, 100
	dir := t.TempDir()
	var made []*Token
	for i := range tokens {
		token, _, err := Create(dir, Spec{}, []Format{PHP, JSON}[i%2])
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, token)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var claimants []*claimant
	for range processes {
		claimants = append(claimants, startClaimant(t, binary, dir, os.Geteuid(), made))
	}
	for _, c := range claimants {
		c.start(t)
	}
	won := make(map[string]int)
	for _, c := range claimants {
		for name, outcomes := range c.results(t) {
			for _, outcome := range outcomes {
				switch {
				case outcome == "<nil>":
					won[name]++
				case !strings.Contains(outcome, ErrNotFound.Error()):
					t.Errorf("%s: %s", name, outcome)
				}
			}
		}
	}
	for _, token := range made {
		if won[token.Name] != 1 {
			t.Errorf("%s: %d got the token, want 1", token.Name, won[token.Name])
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files left, %v", len(left), err)
	}
}

// TestClaimAsAUserWhoMayNotDelete runs a claimant without rights in a sticky
// directory: tokens of others it could read are refused and said so once, its
// own are claimed.
func TestClaimAsAUserWhoMayNotDelete(t *testing.T) {
	needRoot(t)
	binary, dir := publicDirs(t)
	create := func(owner int, mode os.FileMode) (*Token, string) {
		token, path, err := Create(dir, Spec{Mode: mode}, PHP)
		if err != nil {
			t.Fatal(err)
		}
		chown(t, path, owner)
		return token, path
	}
	readable, readablePath := create(0, 0o644)
	another, anotherPath := create(0, 0o644)
	secret, secretPath := create(0, 0o600)
	foreign, foreignPath := create(stranger, 0o600)
	own, ownPath := create(nobody, 0o600)

	c := startClaimant(t, binary, dir, nobody, []*Token{readable, another, secret, foreign, own})
	c.start(t)
	outcomes := c.results(t)
	for _, test := range []struct {
		token *Token
		path  string
		want  string
	}{
		{readable, readablePath, "may not delete a file of user 0: operation not permitted"},
		{another, anotherPath, "may not delete a file of user 0: operation not permitted"},
		{secret, secretPath, "may not read a file of user 0: permission denied"},
		{foreign, foreignPath, "owner 4242 may not issue tokens"},
	} {
		for _, outcome := range outcomes[test.token.Name] {
			if !strings.HasSuffix(outcome, test.want) {
				t.Errorf("got %s, want ... %s", outcome, test.want)
			}
		}
		if len(outcomes[test.token.Name]) == 0 || !exists(t, test.path) {
			t.Errorf("%d outcomes, file left: %t", len(outcomes[test.token.Name]), exists(t, test.path))
		}
	}
	if got := strings.Count(strings.Join(outcomes[own.Name], "\n"), "<nil>"); got != 1 || exists(t, ownPath) {
		t.Errorf("own token: claimed %d times, file left: %t", got, exists(t, ownPath))
	}
	for _, action := range []string{"action=delete", "action=read"} {
		if got := strings.Count(c.stderr.String(), action); got != 1 {
			t.Errorf("%d errors with %s, want 1:\n%s", got, action, &c.stderr)
		}
	}
	if log := c.stderr.String(); !strings.Contains(log, "CAP_FOWNER") || strings.Contains(log, readable.Hash) {
		t.Errorf("the log does not say what to do, or too much:\n%s", log)
	}
}

// TestOpenSaysWhoseTokensItCannotDelete wants a warning before the first
// token is refused, and only where the directory is sticky.
func TestOpenSaysWhoseTokensItCannotDelete(t *testing.T) {
	needRoot(t)
	binary, dir := publicDirs(t)
	c := startClaimant(t, binary, dir, stranger, nil)
	c.start(t)
	c.results(t)
	if log := c.stderr.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, fmt.Sprintf("owners=[%d]", nobody)) {
		t.Errorf("want one warning about user %d, got\n%s", nobody, log)
	}
	c = startClaimant(t, binary, dir, os.Geteuid(), nil)
	c.start(t)
	c.results(t)
	if log := c.stderr.String(); overridesOwner() && log != "" {
		t.Errorf("root was warned:\n%s", log)
	}
}

// TestOpenADirectoryItMayNotWrite wants Open to find out before the first claim.
func TestOpenADirectoryItMayNotWrite(t *testing.T) {
	needRoot(t)
	binary, dir := publicDirs(t)
	chmod(t, dir, 0o755)
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), claimDir+"="+dir, quickExit)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not writable: permission denied") {
		t.Errorf("got %v\n%s", err, out)
	}
}

// publicDirs returns a copy of the test binary that every user may run, and a
// token directory with the rights of /dev/shm.
func publicDirs(t *testing.T) (binary, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	for path := base; path != filepath.Clean(os.TempDir()) && len(path) > 1; path = filepath.Dir(path) {
		chmod(t, path, 0o755)
	}
	binary, dir = filepath.Join(base, "claimant"), filepath.Join(base, "tokens")
	if err := os.WriteFile(binary, mustRead(t, self), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, 0o777|os.ModeSticky)
	return binary, dir
}
