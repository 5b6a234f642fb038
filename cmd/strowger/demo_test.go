package main

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beginDemo starts a demo that keeps its tokens in the returned directory, and waits for its guide.
func beginDemo(t *testing.T, args ...string) (r *running, temporary string) {
	t.Helper()
	temporary = t.TempDir()
	t.Setenv("TMPDIR", temporary)
	r = begin(t, nil, append([]string{"demo", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	r.stdout.line(t, "^C ends the demo.")
	return r, temporary
}

// endDemo wants nothing to be left of it.
func endDemo(t *testing.T, r *running, temporary string) {
	t.Helper()
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDemoLinesWork types every command line that the demo prints.
func TestDemoLinesWork(t *testing.T) {
	demo, temporary := beginDemo(t)
	verbs := map[string]int{}
	for line := range strings.Lines(demo.stdout.String()) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "  strowger ")
		if !ok {
			continue
		}
		args := words(t, rest)
		verbs[args[0]]++
		r := begin(t, nil, args...)
		switch args[0] {
		case "call":
			r.wait(0)
			if out := r.stdout.String(); !strings.Contains(out, `"code":200`) {
				t.Errorf("%s\nprints %s", rest, out)
			}
		case "listen":
			r.stderr.line(t, "listening to demo.calls")
			r.signals.send(t, syscall.SIGINT)
			r.wait(0)
		case "token":
			r.wait(0)
			if out := r.stdout.String(); !strings.Contains(out, `"hash":`) {
				t.Errorf("%s\nprints %s", rest, out)
			}
		}
	}
	if verbs["call"] != 3 || verbs["listen"] != 6 || verbs["token"] != 1 || len(verbs) != 3 {
		t.Errorf("the demo prints %v", verbs)
	}
	// The last call broke the clock.
	log := demo.stderr.line(t, "service panicked", "chaos: event")
	if strings.Contains(log, "goroutine") {
		t.Errorf("log has a stack: %s", log)
	}
	endDemo(t, demo, temporary)
}

// words splits a command line as a shell does that knows single quotes only.
func words(t *testing.T, line string) []string {
	t.Helper()
	var all []string
	word, quoted := "", false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted:
			all = append(all, word)
			word = ""
		default:
			word += string(r)
		}
	}
	if quoted {
		t.Fatalf("a quote is open in %s", line)
	}
	return all
}

func TestDemoWithChaos(t *testing.T) {
	demo, temporary := beginDemo(t, "--chaos", "--chaos-interval", "10ms", "--log-level", "warn")
	demo.stdout.line(t, "Chaos", "breaks a service about every 10ms")
	demo.stderr.line(t, `"msg":"chaos"`, `"fault":`)
	endDemo(t, demo, temporary)
}

func TestDemoSettings(t *testing.T) {
	f := newFakeRouter()
	f.reloaded = make(chan struct{})
	r := begin(t, f.install, "demo", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--admin=")
	r.stdout.line(t, "^C ends the demo.")
	r.signals.send(t, syscall.SIGHUP)
	// A demo's log has the level error, so no line says that the reload is over.
	<-f.reloaded
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
	var names []string
	for _, s := range f.services {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "demo.clock demo.calls active.calls active.conferences demo.switch" {
		t.Errorf("services are %s", got)
	}
	if f.cfg.Admin.Address != "" || f.cfg.Log.Level != "error" || f.cfg.Tokens.Directory == "" || !slices.Contains(f.cfg.Listen.Origins, "127.0.0.1") {
		t.Errorf("configuration is %+v", f.cfg)
	}
}

// TestDemoConsole wants the console where the demo says it is, and no demo where its address is taken.
func TestDemoConsole(t *testing.T) {
	demo, temporary := beginDemo(t)
	_, address, found := strings.Cut(demo.stdout.line(t, "Console"), "http://")
	if !found {
		t.Fatal("the demo names no console")
	}
	address = strings.TrimSpace(address)
	get := func() int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0 // not there yet
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for late := time.After(deadline); get() != http.StatusOK; {
		select {
		case <-late:
			t.Fatalf("no console at %s", address)
		case <-time.After(time.Millisecond):
		}
	}
	taken := strings.TrimSuffix(address, "/console/")
	second := begin(t, nil, "demo", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--admin", taken)
	second.wait(1)
	second.stderr.line(t, taken, "--admin names another address")
	endDemo(t, demo, temporary)
}

func TestAdminOfDemo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().String()
	if got, err := adminOfDemo(taken, false); got != "" || err != nil {
		t.Errorf("a default that is taken: %q, %v", got, err)
	}
	if got, err := adminOfDemo(taken, true); got != "" || err == nil {
		t.Errorf("a choice that is taken: %q, %v", got, err)
	}
	if got, err := adminOfDemo("", true); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
	if got, err := adminOfDemo("192.0.2.1:0", true); got != "" || err == nil {
		t.Errorf("for others: %q, %v", got, err)
	}
	if got, err := adminOfDemo("127.0.0.1:0", true); strings.HasSuffix(got, ":0") || !strings.HasPrefix(got, "127.0.0.1:") || err != nil {
		t.Errorf("any: %q, %v", got, err)
	}
}

// TestDemoCannotStart wants the router to be stopped again when the page has no place.
func TestDemoCannotStart(t *testing.T) {
	first, temporary := beginDemo(t)
	_, url, _ := strings.Cut(first.stdout.line(t, "Page"), "http://")
	taken := strings.TrimSuffix(strings.TrimSpace(url), "/")
	f := newFakeRouter()
	r := begin(t, f.install, "demo", "--listen", "127.0.0.1:0", "--page", taken, "--admin=")
	r.wait(1)
	r.stderr.line(t, `"msg":"cannot start"`, taken, "--page names another address")
	select {
	case <-f.stopping:
	default:
		t.Error("the router was not stopped")
	}
	endDemo(t, first, temporary)
}

func TestDemoThatNobodyReads(t *testing.T) {
	f := newFakeRouter()
	r := begin(t, func(p *program) {
		f.install(p)
		p.stdout = fullWriter{}
	}, "demo", "--page", "127.0.0.1:0", "--admin=")
	r.wait(1)
	r.stderr.line(t, `"msg":"cannot start"`, "disk is full")
}

func TestGuideNamesTheProgram(t *testing.T) {
	for command, want := range map[string]string{
		"":                        "  strowger call demo.clock now ",
		"./strowger":              "  ./strowger call demo.clock now ",
		"/opt/it's here/strowger": `  '/opt/it'\''s here/strowger' call demo.clock now `,
	} {
		out := newOutput()
		g := &guide{command: command, router: "127.0.0.1:8080", tokens: t.TempDir()}
		if err := g.print(out); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "--url") {
			t.Errorf("%q: %s", command, got)
		}
	}
}

// TestBrief wants a brief log to lose stacks and nothing else.
func TestBrief(t *testing.T) {
	out := newOutput()
	log := slog.New(brief{newLog(out, "json", slog.LevelInfo).Handler()}).With("a", 1).WithGroup("g")
	log.Error("crash", "stack", "goroutine 1", "err", errors.New("x"))
	if got := out.String(); strings.Contains(got, "goroutine") || !strings.Contains(got, `"msg":"crash","a":1,"g":{"err":"x"}`) {
		t.Errorf("got %s", got)
	}
	log.Debug("nothing")
	if got := strings.Count(out.String(), "\n"); got != 1 {
		t.Errorf("%d lines", got)
	}
}
