package strowger_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// block is one code block of a page: its language and its text.
type block struct{ language, text string }

// blocks returns the code blocks of a page in Markdown.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$").FindAllStringSubmatch(string(data), -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// TestEmbedding builds and runs, in a module outside of this one, what docs/embedding.md shows.
func TestEmbedding(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go tool")
	}
	commands, programs, want := readEmbedding(t)
	module := outside(t)
	for name, text := range programs {
		write(t, filepath.Join(module, name), text)
	}
	for _, command := range commands {
		if command == "go mod tidy" {
			continue // it asks the network about tests of our dependencies
		}
		words := strings.Fields(command)
		if words[0] != "go" {
			t.Fatalf("command %q is none of go", command)
		}
		cmd := exec.CommandContext(t.Context(), goTool, words[1:]...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}

	runEmbedded(t, filepath.Join(module, "bin"), want)
	t.Run("rolling restart", func(t *testing.T) { rollingRestart(t, filepath.Join(module, "bin")) })
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		t.Run("386", func(t *testing.T) { embedOn386(t, goTool, module, want) })
	}
}

// embedOn386 builds and runs the programs for a platform of 32 bits, and then without the replaced module that they need
// there: they say so when they start.
func embedOn386(t *testing.T, goTool, module, want string) {
	bin := t.TempDir()
	command := func(words ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), goTool, words...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOWORK=off", "GOARCH=386", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	command("build", "-o", bin+"/", "./...")
	if err := exec.CommandContext(t.Context(), filepath.Join(bin, "ask"), "-h").Run(); errors.Is(err, syscall.ENOEXEC) {
		t.Skip("this kernel runs no programs of 32 bits")
	}
	runEmbedded(t, bin, want)
	command("mod", "edit", "-dropreplace=github.com/twmb/murmur3")
	command("build", "-o", bin+"/", "./router")
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "router"), "-listen", "127.0.0.1:0", "-tokens", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "replace github.com/twmb/murmur3") {
		t.Errorf("without the replaced module: %v, %s; want an error that names the line of go.mod", err, out)
	}
}

// runEmbedded runs the programs of the page and compares what the last one prints.
func runEmbedded(t *testing.T, bin, want string) {
	t.Helper()
	tokens := t.TempDir()
	router := launch(t, filepath.Join(bin, "router"), "-listen", "127.0.0.1:0", "-tokens", tokens)
	address, ok := strings.CutPrefix(router.line(), "listening on ")
	if !ok {
		t.Fatal("the router does not say where it listens")
	}
	url := "ws://" + address + "/"
	greeter := launch(t, filepath.Join(bin, "greeter"), "-url", url, "-tokens", tokens)
	for state := greeter.line(); state != "online"; state = greeter.line() {
		if state != "connecting" {
			t.Fatalf("the service is %s", state)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "ask"), "-url", url, "-tokens", tokens).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("ask: %v, got\n%swant\n%s", err, out, want)
	}
	greeter.end()
	router.end()
}

// TestPublicPackages wants an example of each package that docs/embedding.md names, and none of them internal.
func TestPublicPackages(t *testing.T) {
	page, err := os.ReadFile("docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `strowger/([a-z/]+)` \\|").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 6 {
		t.Fatalf("%d packages: is the reading wrong?", len(rows))
	}
	for _, row := range rows {
		dir := row[1]
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, hasExample) {
			t.Errorf("%s has no example", dir)
		}
		if strings.Contains(dir, "internal") {
			t.Errorf("%s cannot be imported", dir)
		}
	}
}

func hasExample(file string) bool {
	data, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(data), "\nfunc Example")
}

// readEmbedding returns what docs/embedding.md has: commands, programs by file, and what the last one prints.
func readEmbedding(t *testing.T) (commands []string, programs map[string]string, want string) {
	t.Helper()
	programs = make(map[string]string)
	for _, b := range blocks(t, "docs/embedding.md") {
		switch b.language {
		case "sh":
			commands = append(commands, strings.Split(strings.TrimSpace(b.text), "\n")...)
		case "go":
			first, _, _ := strings.Cut(b.text, "\n")
			if slices.ContainsFunc(goParts(), func(p elsewhere) bool { return p.page == "docs/embedding.md" && p.begins == first }) {
				continue // TestBlocks compiles it
			}
			name, ok := strings.CutPrefix(first, "// ")
			if !ok || !strings.HasSuffix(name, "/main.go") {
				t.Fatalf("a program without a name: %q", first)
			}
			programs[name] = b.text
		default:
			want = b.text
		}
	}
	if len(commands) < 4 || len(programs) != 3 || want == "" {
		t.Fatalf("%d commands, %d programs, output %q: is the reading wrong?", len(commands), len(programs), want)
	}
	return commands, programs, want
}

// outside returns the directory of a module beside ours, as the page has them.
func outside(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if err := os.Symlink(here, filepath.Join(parent, "strowger")); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(parent, "hello")
	write(t, filepath.Join(module, "go.sum"), string(sums))
	return module
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// launched is a program that runs until end.
type launched struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // closed when it says no more
}

func launch(t *testing.T, program string, args ...string) *launched {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &launched{t: t, cmd: exec.CommandContext(ctx, program, args...), lines: make(chan string, 64)}
	stderr := new(bytes.Buffer)
	p.cmd.Stderr = stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		cancel() // kills it if it still runs
		<-read
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(program), stderr)
		}
	})
	return p
}

// line returns what the program prints next.
func (p *launched) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%s has ended", filepath.Base(p.cmd.Path))
		}
		return line
	case <-time.After(2 * time.Minute):
		p.t.Fatalf("%s says nothing", filepath.Base(p.cmd.Path))
	}
	return ""
}

// end tells the program to stop, as an administrator does, and wants it to end well.
func (p *launched) end() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	for range p.lines {
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v", filepath.Base(p.cmd.Path), err)
	}
}
