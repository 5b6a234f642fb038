package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// language is one of those that have a client in one file. testdata/clients has a program in each, which plays the same scenarios.
type language struct {
	name    string
	require string // the variable that makes it an error that the program is not installed
	program []string
	peer    string
	library string
	suffix  string // of its files
}

func languages() []language {
	in := func(elements ...string) string { return filepath.Join(append([]string{"..", ".."}, elements...)...) }
	return []language{
		{"php", "STROWGER_REQUIRE_PHP", []string{"php", "-n", "-d", "display_errors=stderr", "-d", "error_reporting=-1"},
			in("testdata", "clients", "peer.php"), in("clients", "php", "strowger.php"), ".php"},
		{"python", "STROWGER_REQUIRE_PYTHON", []string{"python3", "-B"},
			in("testdata", "clients", "peer.py"), in("clients", "python", "strowger.py"), ".py"},
	}
}

// eachLanguage runs a test for each language that is installed.
func eachLanguage(t *testing.T, test func(*testing.T, language)) {
	t.Helper()
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			lookPath(t, l.require, l.program[0])
			test(t, l)
		})
	}
}

// langPeer is a running program of testdata/clients.
type langPeer struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // what it prints; closed when it has ended
	err   error       // how it ended; set before lines is closed
}

// play starts a scenario. It ends with t.
func (l language) play(t *testing.T, scenario, url, lab string, more ...string) *langPeer {
	t.Helper()
	args := slices.Concat(l.program[1:], []string{l.peer, l.library, scenario, url, lab}, more)
	return watchProgram(t, exec.Command(l.program[0], args...))
}

// watchProgram starts a program. It ends with t.
func watchProgram(t *testing.T, cmd *exec.Cmd) *langPeer {
	t.Helper()
	p := &langPeer{t: t, cmd: cmd, lines: make(chan string, 4096)}
	daemontest.Group(cmd)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(p.lines)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.lines <- lines.Text()
		}
		p.err = cmd.Wait()
		if said.Len() > 0 {
			p.lines <- "stderr: " + said.String()
		}
	}()
	t.Cleanup(func() {
		_ = daemontest.KillGroup(cmd)
		for line := range p.lines { // it must not wait for a reader
			if t.Failed() {
				t.Logf("the program says %.1000s", line)
			}
		}
		<-ended
	})
	return p
}

// next returns the next line, and "" if the program has ended.
func (p *langPeer) next() string {
	p.t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-time.After(deadline):
		p.t.Fatal("the program says nothing")
		return ""
	}
}

// want reads lines. They must be these.
func (p *langPeer) want(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := p.next(); got != want {
			p.t.Fatalf("the program says %q, want %q", got, want)
		}
	}
}

// done waits until the program has ended well, without another line.
func (p *langPeer) done() {
	p.t.Helper()
	if line := p.next(); line != "" || p.err != nil {
		p.t.Fatalf("the program says %q and ends with %v", line, p.err)
	}
}

func (p *langPeer) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
}

// langLab serves the programs tokens for a directory. Clients are subscribed to lab.numbers. restart may be nil.
func langLab(t *testing.T, tokens string, restart func()) string {
	t.Helper()
	give := func(w http.ResponseWriter, spec token.Spec) {
		made, _, err := token.Create(tokens, spec, token.JSON)
		if err != nil {
			t.Errorf("make token: %v", err)
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(pageToken{made.Name, made.Hash}) // a program that has ended asks no more
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /client", func(w http.ResponseWriter, r *http.Request) {
		limit, _ := time.ParseDuration(r.URL.Query().Get("limit"))
		give(w, token.Spec{Services: []string{numbersName}, UserName: "ada", Limit: limit})
	})
	mux.HandleFunc("GET /service", func(w http.ResponseWriter, r *http.Request) {
		give(w, token.Spec{ServiceName: r.URL.Query().Get("name"), ServiceClass: "lab_plain_service"})
	})
	mux.HandleFunc("GET /bad", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(pageToken{strings.Repeat("a", 64), strings.Repeat("b", 64)})
	})
	mux.HandleFunc("GET /restart", func(http.ResponseWriter, *http.Request) { restart() })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// serveNumbers connects the service of numbers with a daemon, and waits until it is there: a request that comes earlier is not answered.
func serveNumbers(t *testing.T, d *daemon) *numbers {
	t.Helper()
	n := &numbers{seen: map[string]int{}}
	serveLab(t, d.Addr, d.TokenDir, n.service())
	if err := d.Await(t.Context(), `"msg":"service up","service":"`+numbersName+`"`); err != nil {
		t.Fatal(err)
	}
	return n
}
