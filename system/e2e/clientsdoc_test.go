package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/lxzan/gws"
)

// guided is a demo with the snippets of docs/clients.md.
type guided struct {
	printedGuide
	t   *testing.T
	dir string // where the program is
}

// guide runs the demo as the page says. Only the ports are others.
func guide(t *testing.T) *guided {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	g := &guided{t: t, dir: t.TempDir()}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.dir, "strowger"), program, 0o700); err != nil {
		t.Fatal(err)
	}
	g.printedGuide = runGuide(t, g.dir, "./strowger demo --listen 127.0.0.1:0 --page 127.0.0.1:0 --admin 127.0.0.1:0")
	return g
}

// snippet returns the only block of docs/clients.md in a language that has a text in it, with the address of the demo.
func (g *guided) snippet(language, with string) string {
	g.t.Helper()
	return clientsSnippet(g.t, language, with, strings.TrimSuffix(strings.TrimPrefix(g.router, "ws://"), "/"))
}

// clientsSnippet returns the only block of docs/clients.md in a language that has a text in it, with the address of a router.
func clientsSnippet(t *testing.T, language, with, address string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, block := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], with) {
			found = append(found, block[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("docs/clients.md has %d blocks in %s with %q", len(found), language, with)
	}
	text := strings.ReplaceAll(found[0], "127.0.0.1:8080", address)
	if text == found[0] {
		t.Fatalf("the block in %s with %q names no address", language, with)
	}
	return text
}

// save writes a snippet into the directory of the demo's program.
func (g *guided) save(name, text string) string {
	g.t.Helper()
	file := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return file
}

// spoken is a WebSocket that a test types into.
type spoken struct {
	gws.BuiltinEventHandler
	heard chan map[string]any
}

// OnMessage keeps a message. It waits if the test does not read.
func (s *spoken) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer message.Close()
	var m map[string]any
	if err := json.Unmarshal(message.Bytes(), &m); err != nil {
		m = map[string]any{"error": err.Error()}
	}
	s.heard <- m
}

// TestClientsByHand has the conversation of docs/clients.md, line by line.
func TestClientsByHand(t *testing.T) {
	t.Parallel()
	g := guide(t)
	var made pageToken
	if err := json.Unmarshal([]byte(shell(t, g.dir, g.token)), &made); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(g.snippet("text", "websocat")), "\n")
	s := &spoken{heard: make(chan map[string]any, 1024)}
	address, _ := strings.CutPrefix(lines[0], "$ websocat ")
	conn, _, err := gws.NewClient(s, &gws.ClientOption{Addr: address})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn.ReadLoop()
	}()
	defer func() {
		_ = conn.WriteClose(1000, nil)
		<-ended
	}()
	for _, line := range lines[1:] {
		sign, text, _ := strings.Cut(line, " ")
		text = strings.NewReplacer("NAME", made.Name, "HASH", made.Hash).Replace(text)
		switch sign {
		case ">":
			if err := conn.WriteString(text); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		case "<":
			s.wait(t, text, ended)
		default:
			t.Fatalf("docs/clients.md has the line %q", line)
		}
	}
}

// TestClientsHTTP has the commands of docs/clients.md for curl, each with a token of its own.
func TestClientsHTTP(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	g := guide(t)
	lines := strings.Split(strings.TrimSpace(g.snippet("text", "curl -u")), "\n")
	for i := 0; i < len(lines); i += 2 {
		var made pageToken
		if err := json.Unmarshal([]byte(shell(t, g.dir, g.token)), &made); err != nil {
			t.Fatal(err)
		}
		command := strings.NewReplacer("$ curl", "curl -sS", "NAME", made.Name, "HASH", made.Hash).Replace(lines[i])
		var got, want map[string]any
		if err := json.Unmarshal([]byte(shell(t, g.dir, command)), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(lines[i+1]), &want); err != nil {
			t.Fatal(err)
		}
		for key, value := range want {
			if !reflect.DeepEqual(got[key], value) {
				t.Errorf("%s: %s is %v, want %v", lines[i], key, got[key], value)
			}
		}
	}
}

// TestClientsEvents reads the stream that docs/clients.md shows.
func TestClientsEvents(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	g := guide(t)
	var made pageToken
	if err := json.Unmarshal([]byte(shell(t, g.dir, g.token)), &made); err != nil {
		t.Fatal(err)
	}
	command, want, _ := strings.Cut(g.snippet("text", "curl -sN"), "\n")
	command = strings.NewReplacer("$ curl", "exec curl", "NAME", made.Name, "HASH", made.Hash).Replace(command)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	curl := exec.CommandContext(ctx, "sh", "-c", command)
	out, err := curl.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := curl.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = curl.Wait()
	}()
	lines := bufio.NewScanner(out)
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		for !like(lines.Text(), line) {
			if !lines.Scan() {
				t.Fatalf("the stream has ended before %q: %v", line, lines.Err())
			}
		}
	}
}

// like reports whether a line of a stream has all that a line of the page has.
func like(got, want string) bool {
	want, isData := strings.CutPrefix(want, "data: ")
	got, _ = strings.CutPrefix(got, "data: ")
	if !isData {
		return got == want
	}
	var has, wants map[string]any
	if json.Unmarshal([]byte(want), &wants) != nil || json.Unmarshal([]byte(got), &has) != nil {
		return false
	}
	for key, value := range wants {
		if value != "SECRET" && !reflect.DeepEqual(has[key], value) {
			return false
		}
	}
	return (has["stream"] == nil) == (wants["stream"] == nil)
}

// wait reads until a message has all that text has. Ticks may come at any time.
func (s *spoken) wait(t *testing.T, text string, ended <-chan struct{}) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for {
		select {
		case got := <-s.heard:
			if got["topic"] == "tick" && want["topic"] != "tick" {
				continue
			}
			for key, value := range want {
				if !reflect.DeepEqual(got[key], value) {
					t.Fatalf("%s: got %v", text, got)
				}
			}
			return
		case <-ended:
			t.Fatalf("%s: the connection ended", text)
		case <-ctx.Done():
			t.Fatalf("%s does not come", text)
		}
	}
}

// TestClientsPage opens the page of docs/clients.md as a file.
func TestClientsPage(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	g := guide(t)
	page := openTools(t, "file://"+g.save("mine.html", g.snippet("html", "strowger.js")))
	page.await(`document.getElementById("log").textContent.startsWith("connecting")`)
	page.paste(shell(t, g.dir, g.token))
	page.await(`/^online $/m.test(document.getElementById("log").textContent)`)
	page.await(`/^reply \{"time":".+"\}$/m.test(document.getElementById("log").textContent)`)
	page.await(`document.getElementById("log").textContent.match(/^heard tick \{"time":".+"\}$/gm)?.length >= 2`)
	page.checkQuiet()
}

// TestClientsNode runs the program of docs/clients.md in Node, with the package as it is published.
func TestClientsNode(t *testing.T) {
	needsNode(t)
	t.Parallel()
	g := guide(t)
	g.save("clock.mjs", g.snippet("js", `"strowger"`))
	for _, name := range []string{"package.json", "dist/index.js"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "clients", "js", name))
		if err != nil {
			t.Fatal(err)
		}
		g.save(filepath.Join("node_modules", "strowger", name), string(text))
	}
	tokens := g.token[strings.LastIndex(g.token, " ")+1:]
	out := shell(t, g.dir, "node --experimental-websocket --no-warnings clock.mjs "+tokens)
	const reading = `\{ time: '[^']+' \}`
	if want := regexp.MustCompile(`^now ` + reading + `\nstatus 404\n(tick ` + reading + ` 0 false\n?){3}$`); !want.MatchString(out) {
		t.Errorf("printed %q", out)
	}
}

// TestClientsGo builds and runs the Go program of docs/clients.md.
func TestClientsGo(t *testing.T) {
	t.Parallel()
	g := guide(t)
	file := g.save("main.go", g.snippet("go", "package main"))
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "clockofthepage", "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(g.dir, "clock")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", g.save("overlay.json", string(overlay)), "-o", program, "./clockofthepage")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out := shell(t, g.dir, fmt.Sprintf("%s | %s", g.token, program))
	if want := regexp.MustCompile(`^now 2\d{3}-.+\ntick \{"time":".+"\} 0$`); !want.MatchString(out) {
		t.Errorf("printed %q", out)
	}
}
