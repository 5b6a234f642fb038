package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readmeStart is what the first part of README.md has the reader type and save.
type readmeStart struct {
	commands []string // to build and run the demo
	token    string   // that makes a token
	page     string
}

func readReadme(t *testing.T) readmeStart {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## The first five minutes\n")
	part, _, _ = strings.Cut(part, "\n### What next\n")
	var start readmeStart
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(part, -1) {
		switch block[1] {
		case "sh":
			for line := range strings.Lines(block[2]) {
				command, _, _ := strings.Cut(line, " # ")
				start.commands = append(start.commands, strings.TrimSpace(command))
			}
		case "html":
			start.page = block[2]
		default:
			start.token = strings.TrimSpace(strings.TrimPrefix(block[2], "$ "))
		}
	}
	if len(start.commands) != 3 || start.page == "" || start.token == "" {
		t.Fatalf("README.md has %+v: is the reading wrong?", start)
	}
	return start
}

// TestReadme does what the first part of README.md says, after the cloning: builds the program, runs the demo, makes a token with the
// command that the demo prints, and opens the page in a browser as a file. Only the ports are others.
func TestReadme(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_BROWSER", "chromium", "chromium-browser", "google-chrome")
	t.Parallel()
	start := readReadme(t)
	dir := t.TempDir()
	build := strings.Fields(start.commands[1])
	if want := "go build -o strowger ./cmd/strowger"; strings.Join(build, " ") != want {
		t.Fatalf("README.md builds with %v, want %s", build, want)
	}
	build[3] = filepath.Join(dir, build[3])
	compile := exec.CommandContext(t.Context(), build[0], build[1:]...)
	compile.Dir = filepath.Join("..", "..")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	if start.commands[2] != "./strowger demo" {
		t.Fatalf("README.md runs %s", start.commands[2])
	}
	guide := runGuide(t, dir, start.commands[2]+" --listen 127.0.0.1:0 --page 127.0.0.1:0")

	page := strings.ReplaceAll(start.page, "ws://127.0.0.1:8080/", guide.router)
	file := filepath.Join(dir, "mine.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if like, _, _ := strings.Cut(start.token, "/tmp/"); !strings.HasPrefix(guide.token, like) {
		t.Fatalf("the demo prints %s, README.md %s", guide.token, start.token)
	}
	tools := openTools(t, guide.page)
	tools.await(`document.body.dataset.connection === "connected"`)
	mine := openTools(t, "file://"+file)
	printed := shell(t, dir, guide.token)
	mine.paste(printed)
	mine.await(`document.getElementById("log").textContent.includes("heard authentication authenticated 200 null\n")`)
	mine.await(`/^reply demo.clock now 200 \{"time":".+"\}$/m.test(document.getElementById("log").textContent)`)
	mine.await(`document.getElementById("log").textContent.match(/^heard demo.clock tick .*\{"time":".+"\}$/gm)?.length >= 2`)
	// The token is used.
	mine.paste(printed + " ")
	mine.await(`document.getElementById("log").textContent.includes("unauthorized 401")`)
	mine.checkQuiet()
	tools.checkQuiet()
}

// paste puts a line into the page's field, as somebody does who presses Enter after it.
func (d *devtools) paste(line string) {
	d.t.Helper()
	text, err := json.Marshal(line)
	if err != nil {
		d.t.Fatal(err)
	}
	d.eval(`(() => {
		const field = document.getElementById("token");
		field.value = ` + string(text) + `;
		field.dispatchEvent(new Event("change"));
	})()`)
}

// printedGuide is what the demo prints.
type printedGuide struct{ page, router, token string }

// runGuide runs a demo with a command line until t ends, and returns what it prints.
func runGuide(t *testing.T, dir, command string) printedGuide {
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	var log strings.Builder
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed, ended := make(chan printedGuide, 1), make(chan struct{})
	go func() {
		defer close(ended)
		var guide printedGuide
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			line := strings.TrimSpace(lines.Text())
			switch first, rest, _ := strings.Cut(line, " "); {
			case first == "Page":
				guide.page = strings.TrimSpace(rest)
			case first == "Router":
				guide.router = strings.TrimSpace(rest)
			case strings.HasPrefix(rest, "token create "):
				guide.token = line
			case first == "^C":
				printed <- guide
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(deadline, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, &log)
		}
	})
	select {
	case guide := <-printed:
		return guide
	case <-ended:
		t.Fatalf("%s ended", command)
	case <-time.After(deadline):
		t.Fatalf("%s prints no guide", command)
	}
	return printedGuide{}
}

// shell runs a command line and returns what it prints.
func shell(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(string(out))
}
