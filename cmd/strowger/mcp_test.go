package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"strowger/client"
)

// mcpCommand returns the command of a process that serves an assistant.
func mcpCommand(t *testing.T, environ []string, args ...string) (cmd *exec.Cmd, stderr *output) {
	t.Helper()
	cmd, stderr = exec.Command(os.Args[0], append([]string{"mcp"}, args...)...), newOutput()
	cmd.Env = append(append(os.Environ(), programEnv+"=1"), environ...)
	cmd.Stderr = stderr
	return cmd, stderr
}

// assisted is an assistant that runs strowger mcp.
type assisted struct {
	t       *testing.T
	session *mcp.ClientSession
}

// assist starts a process that serves an assistant until the test ends. It must say nothing on stderr.
func assist(t *testing.T, environ []string, args ...string) *assisted {
	t.Helper()
	cmd, stderr := mcpCommand(t, environ, args...)
	assistant := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := assistant.Connect(t.Context(), &mcp.CommandTransport{Command: cmd, TerminateDuration: deadline}, nil)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("end: %v", err)
		}
		if text := stderr.String(); text != "" {
			t.Errorf("stderr: %s", text)
		}
	})
	return &assisted{t, session}
}

// call calls a tool and returns its text.
func (a *assisted) call(name string, in map[string]any) (text string, failed bool) {
	a.t.Helper()
	result, err := a.session.CallTool(a.t.Context(), &mcp.CallToolParams{Name: name, Arguments: in})
	if err != nil {
		return err.Error(), true
	}
	if len(result.Content) != 1 {
		a.t.Fatalf("%s: %d contents", name, len(result.Content))
	}
	content, ok := result.Content[0].(*mcp.TextContent)
	if !ok {
		a.t.Fatalf("%s: content is a %T", name, result.Content[0])
	}
	return content.Text, result.IsError
}

// read calls a tool that must succeed and decodes its JSON.
func (a *assisted) read(name string, in map[string]any) (answer map[string]any) {
	a.t.Helper()
	text, failed := a.call(name, in)
	if err := json.Unmarshal([]byte(text), &answer); failed || err != nil {
		a.t.Fatalf("%s %v: %v in %s", name, in, err, text)
	}
	return answer
}

// fails calls a tool that must fail with a text.
func (a *assisted) fails(name string, in map[string]any, want string) {
	a.t.Helper()
	if text, failed := a.call(name, in); !failed || !strings.Contains(text, want) {
		a.t.Errorf("%s %v: failed is %v: %s\nwant %s", name, in, failed, text, want)
	}
}

func TestAssistantTools(t *testing.T) {
	reads := []string{"audit", "connection", "connections", "deadletter", "deadletters", "explain", "log", "metrics", "services", "slow", "status", "topics", "tree"}
	// Whether they destroy something.
	actions := map[string]bool{"disconnect": true, "service_restart": true, "service_stop": true, "service_start": false, "service_reset": false, "deadletter_replay": true}
	for name, flags := range map[string][]string{"looks": nil, "acts": {"--allow-actions"}} {
		t.Run(name, func(t *testing.T) {
			a := assist(t, nil, append([]string{"--admin", "127.0.0.1:1"}, flags...)...)
			list, err := a.session.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, tool := range list.Tools {
				destroys, acts := actions[tool.Name]
				hints := tool.Annotations
				if hints.ReadOnlyHint == acts || *hints.OpenWorldHint || acts && *hints.DestructiveHint != destroys {
					t.Errorf("%s has the hints %+v", tool.Name, hints)
				}
				if !acts {
					found = append(found, tool.Name)
				} else if flags == nil {
					t.Errorf("%s is there without the flag", tool.Name)
				}
				describedTool(t, tool)
			}
			slices.Sort(found)
			if !slices.Equal(found, reads) || len(list.Tools) != len(reads)+len(flags)*len(actions) {
				t.Errorf("%d tools, reads are %v", len(list.Tools), found)
			}
			if flags == nil {
				a.fails("service_stop", map[string]any{"name": "x"}, `unknown tool "service_stop"`)
			}
		})
	}
}

// describedTool checks that a tool and its properties are described, and that numbers are bounded.
func describedTool(t *testing.T, tool *mcp.Tool) {
	t.Helper()
	var schema struct {
		AdditionalProperties *bool
		Properties           map[string]struct {
			Type, Description string
			Minimum, Maximum  *float64
			Default           any
		}
	}
	data, err := json.Marshal(tool.InputSchema)
	if err == nil {
		err = json.Unmarshal(data, &schema)
	}
	if err != nil || tool.Description == "" || tool.Title == "" || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("%s: %v in %s", tool.Name, err, data)
	}
	for name, p := range schema.Properties {
		limit := name != "limit" || p.Maximum != nil && *p.Maximum == 200 && *p.Minimum == 1 && p.Default == 50.
		if p.Description == "" || p.Type == "" || p.Type == "integer" && p.Minimum == nil || !limit {
			t.Errorf("%s: %s is %+v", tool.Name, name, p)
		}
	}
}

// steady removes what differs from one look to the next.
func steady(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if slices.Contains([]string{"at_ms", "age_ms", "idle_ms", "now", "sample", "rate", "failure_rate", "latency_ms", "requests"}, name) {
				delete(v, name)
				continue
			}
			v[name] = steady(v[name])
		}
	case []any:
		for i := range v {
			v[i] = steady(v[i])
		}
	}
	return v
}

// sameAsVerbs checks that tools return what command lines print.
func sameAsVerbs(t *testing.T, a *assisted, admin string, letter float64) {
	t.Helper()
	number := fmt.Sprint(letter)
	for _, test := range []struct {
		tool string
		in   map[string]any
		args []string
		part string // of what the verb prints
	}{
		{"status", nil, []string{"status", "--json"}, "status"},
		{"services", nil, []string{"status", "--json"}, "services"},
		{"connections", nil, []string{"connections", "--json"}, ""},
		{"connections", map[string]any{"search": "weather", "role": "service", "sort": "name", "descending": true, "limit": 1},
			[]string{"connections", "--json", "--search", "weather", "--role", "service", "--sort", "name", "--descending", "--limit", "1"}, ""},
		{"connections", map[string]any{"offset": 1}, []string{"connections", "--json", "--offset", "1"}, ""},
		{"deadletters", map[string]any{"reason": "unknown_service"}, []string{"deadletters", "--json", "--reason", "unknown_service"}, ""},
		{"deadletters", map[string]any{"reason": "late_reply"}, []string{"deadletters", "--json", "--reason", "late_reply"}, ""},
		{"deadletter", map[string]any{"number": letter}, []string{"deadletters", "show", number}, ""},
	} {
		var want map[string]any
		if err := json.Unmarshal([]byte(succeed(t, append(test.args, "--admin", admin)...)), &want); err != nil {
			t.Fatal(err)
		}
		if test.part != "" {
			want, _ = want[test.part].(map[string]any)
		}
		if got := a.read(test.tool, test.in); !reflect.DeepEqual(steady(got), steady(want)) || len(got) == 0 {
			t.Errorf("%s %v is\n%v\nwhat %v prints is\n%v", test.tool, test.in, got, test.args, want)
		}
	}
}

// rows returns the rows of a table.
func rows(t *testing.T, table map[string]any) (rows []map[string]any) {
	t.Helper()
	all, ok := table["rows"].([]any)
	if !ok {
		t.Fatalf("no table: %v", table)
	}
	for _, row := range all {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

// deadLetter has a client ask a service that nobody offers, and returns the number of the dead letter.
func (a *assisted) deadLetter(router, dir, service string) (number float64) {
	a.t.Helper()
	token := createToken(a.t, dir, "--user", "alice", "--permission", "p")
	c, err := client.Dial(a.t.Context(), "ws://"+router+"/", func(context.Context) (client.Token, error) {
		return client.Token{Name: token.Name, Hash: token.Hash}, nil
	}, client.Options{})
	if err != nil {
		a.t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(a.t.Context(), fmt.Appendf(nil, `{"service":%q,"topic":"today","request_id":"1","payload":{"city":"Ulm"}}`, service)); err != nil {
		a.t.Fatal(err)
	}
	for late := time.Now().Add(deadline); time.Now().Before(late); {
		if letters := rows(a.t, a.read("deadletters", map[string]any{"service": service})); len(letters) > 0 {
			return letters[0]["number"].(float64)
		}
	}
	a.t.Fatal("there is no dead letter")
	return 0
}

func TestAssistantReads(t *testing.T) {
	dir := t.TempDir()
	router, admin := serveWithConsole(t, dir)
	joinService(t, "ws://"+router+"/", createToken(t, dir, "--service", "weather"))
	a := assist(t, nil, "--admin", admin)
	sameAsVerbs(t, a, admin, a.deadLetter(router, dir, "nobody"))

	weather := rows(t, a.read("connections", map[string]any{"search": "weather"}))[0]
	for _, in := range []map[string]any{{"number": weather["number"]}, {"id": weather["id"]}} {
		if one := a.read("connection", in); one["name"] != "weather" || one["services"] == nil {
			t.Errorf("connection %v: %v", in, one)
		}
	}
	if slow := a.read("slow", nil); slow["waiting_bytes"] != 0. || len(rows(t, slow)) != 0 {
		t.Errorf("slow: %v", slow)
	}
	if topics := rows(t, a.read("topics", map[string]any{"limit": 1})); len(topics) != 1 {
		t.Errorf("topics: %v", topics)
	}
	lines := rows(t, a.read("log", map[string]any{"search": "listening", "level": "info", "limit": 1}))
	if len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0]), "listening") {
		t.Errorf("log: %v", lines)
	}
	if audit := rows(t, a.read("audit", nil)); len(audit) != 0 {
		t.Errorf("audit: %v", audit)
	}
	a.readTree()
	a.readMetrics()
}

func (a *assisted) readTree() {
	t := a.t
	t.Helper()
	root := a.read("tree", nil)["root"].(map[string]any)
	if root["name"] != "root" || len(root["children"].([]any)) < 5 {
		t.Errorf("tree: %v", root)
	}
	one := a.read("tree", map[string]any{"limit": 1})["root"].(map[string]any)
	if n, all := len(one["children"].([]any)), len(root["children"].([]any)); n != 1 || one["omitted"] != float64(all-1) {
		t.Errorf("%d children and %v omitted of %d", n, one["omitted"], all)
	}
	for _, path := range []string{"services/dashboard.system.information", "root/services/dashboard.system.information/"} {
		if branch := a.read("tree", map[string]any{"branch": path})["root"].(map[string]any); branch["name"] != "dashboard.system.information" {
			t.Errorf("branch %s: %v", path, branch)
		}
	}
	a.fails("tree", map[string]any{"branch": "services/none"}, `branch: "services/none" is not in the tree`)
}

func (a *assisted) readMetrics() {
	t := a.t
	t.Helper()
	text, failed := a.call("metrics", map[string]any{"names": []string{"strowger_build_info"}})
	if failed || !strings.Contains(text, "# TYPE strowger_build_info gauge\nstrowger_build_info{") || !strings.HasSuffix(text, "\n# 1 of 1 samples, from offset 0 on\n") {
		t.Errorf("metrics: %s", text)
	}
	samples := func(text string) (n int) {
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") {
				n++
			}
		}
		return n
	}
	if text, _ := a.call("metrics", nil); samples(text) != 50 || !strings.Contains(text, "\n# metrics: ") || !strings.Contains(text, " strowger_build_info ") {
		t.Errorf("all metrics: %s", text)
	}
	first, _ := a.call("metrics", map[string]any{"names": []string{"go_*"}, "limit": 2})
	second, _ := a.call("metrics", map[string]any{"names": []string{"go_*"}, "limit": 1, "offset": 1})
	if samples(first) != 2 || samples(second) != 1 || strings.Contains(first, "strowger_") {
		t.Errorf("pages: %s\n%s", first, second)
	}
	a.fails("metrics", map[string]any{"names": []string{"strowger_nothing"}}, "names: the daemon has no metric called strowger_nothing; it has ")
}

func TestAssistantExplains(t *testing.T) {
	dir := t.TempDir()
	router, admin := serveWithConsole(t, dir)
	joinService(t, "ws://"+router+"/", createToken(t, dir, "--service", "weather"))
	listener := begin(t, nil, "listen", "--url", "ws://"+router+"/", "--token-dir", dir, "weather")
	a := assist(t, nil, "--admin", admin)
	var subscriber any
	for late := time.Now().Add(deadline); subscriber == nil && time.Now().Before(late); {
		for _, row := range rows(t, a.read("connections", map[string]any{"role": "client"})) {
			subscriber = row["id"]
		}
	}
	for _, in := range []map[string]any{
		{"subscriber": subscriber, "service": "weather"},
		{"subscriber": subscriber, "service": "weather", "event": map[string]any{"topic": "today", "payload": map[string]any{"sun": true}}},
	} {
		if all, _ := a.read("explain", in)["explanations"].([]any); len(all) != 1 {
			t.Errorf("explain %v: %v", in, all)
		}
	}
	a.fails("explain", map[string]any{"subscriber": "none", "service": "weather"}, "this subscriber does not watch this service")
	a.fails("explain", map[string]any{"service": "weather"}, "subscriber")
	a.fails("explain", map[string]any{"subscriber": subscriber, "service": "weather", "event": "x"}, "event")
	listener.signals.send(t, syscall.SIGTERM)
	listener.wait(0)
}

func TestAssistantIsWrong(t *testing.T) {
	_, admin := serveWithConsole(t, t.TempDir())
	a := assist(t, nil, "--admin", admin, "--allow-actions")
	for _, test := range []struct {
		tool string
		in   map[string]any
		want string
	}{
		{"connections", map[string]any{"limit": 201}, "limit"},
		{"connections", map[string]any{"limit": 0}, "limit"},
		{"connections", map[string]any{"offset": -1}, "offset"},
		{"connections", map[string]any{"sort": "beauty"}, "sort"},
		{"connections", map[string]any{"role": "king"}, "role"},
		{"connections", map[string]any{"search": strings.Repeat("x", 201)}, "search"},
		{"connections", map[string]any{"serch": "x"}, "serch"},
		{"connection", nil, "number or id is missing"},
		{"connection", map[string]any{"number": 99999}, "it is not there any more"},
		{"log", map[string]any{"level": "loud"}, "level"},
		{"deadletters", map[string]any{"reason": "boredom"}, "reason"},
		{"deadletter", nil, "number"},
		{"deadletter", map[string]any{"number": 99}, "it is not there any more"},
		{"disconnect", nil, "number or id is missing"},
		{"service_stop", map[string]any{"name": "none"}, "there is no such service in the router"},
		{"deadletter_replay", map[string]any{"number": 1}, "confirm"},
		{"deadletter_replay", map[string]any{"number": 1, "confirm": 2}, "confirm must be the number of the dead letter"},
	} {
		a.fails(test.tool, test.in, test.want)
	}
}

func TestAssistantActs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "audit")
	router, admin := serveWithConsole(t, dir, "--config", put(t, "s.yaml", fmt.Sprintf("admin: {payloads: true, audit_file: %q}\nrouting: {default_policy: allow}\n", file)))
	a := assist(t, nil, "--admin", admin, "--allow-actions")
	letter := a.deadLetter(router, dir, "weather")
	weather := joinService(t, "ws://"+router+"/", createToken(t, dir, "--service", "weather"))
	if answer := a.read("deadletter_replay", map[string]any{"number": letter, "confirm": letter}); answer["status"] != 200. || answer["audit"] != 1. {
		t.Errorf("replay: %v", answer)
	}
	a.fails("deadletter_replay", map[string]any{"number": letter, "confirm": letter}, "it was replayed")
	if row := rows(t, a.read("services", map[string]any{"search": "weather"}))[0]; row["requests"] != 1. {
		t.Errorf("the service was asked %v times", row["requests"])
	}

	const board = "dashboard.system.information"
	state := func() any { return rows(t, a.read("services", map[string]any{"search": board}))[0]["state"] }
	for _, step := range []struct{ deed, state string }{{"stop", "stopped"}, {"start", "up"}, {"restart", "up"}} {
		a.read("service_"+step.deed, map[string]any{"name": board})
		if got := state(); got != step.state {
			t.Errorf("after %s the service is %v", step.deed, got)
		}
	}
	a.fails("service_reset", map[string]any{"name": board}, "its breaker is closed")
	number := rows(t, a.read("connections", map[string]any{"role": "service"}))[0]["number"]
	a.read("disconnect", map[string]any{"number": number})
	if err := <-weather.closed; err == nil || !strings.Contains(err.Error(), "1001") {
		t.Errorf("the service was closed with %v", err)
	}

	want := []string{"deadletter.replay", "deadletter.replay", "service.stop", "service.start", "service.restart", "service.reset", "connection.disconnect"}
	var got []string
	for _, row := range slices.Backward(rows(t, a.read("audit", nil))) {
		got = append(got, row["action"].(string))
	}
	data, err := os.ReadFile(file)
	if err != nil || !slices.Equal(got, want) || strings.Count(string(data), "\n") != len(want) {
		t.Errorf("%v: audit has %v, want %v\n%s", err, got, want, data)
	}
}

// between passes connections on to one address or another. Without one it ends them.
type between struct {
	listener net.Listener
	to       atomic.Pointer[string]
	running  sync.WaitGroup

	mu    sync.Mutex // protects following
	conns map[net.Conn]bool
}

func newBetween(t *testing.T) *between {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &between{listener: l, conns: make(map[net.Conn]bool)}
	b.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.running.Go(func() { b.pass(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.running.Wait()
	})
	return b
}

// cut ends all connections.
func (b *between) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		conn.Close()
	}
}

func (b *between) pass(conn net.Conn) {
	b.mu.Lock()
	b.conns[conn] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.conns, conn)
		conn.Close()
	}()
	to := b.to.Load()
	if to == nil {
		return
	}
	other, err := net.Dial("tcp", *to)
	if err != nil {
		return
	}
	defer other.Close()
	b.running.Go(func() {
		defer conn.Close()
		_, _ = io.Copy(conn, other)
	})
	_, _ = io.Copy(other, conn)
}

func TestAssistantOutlivesDaemon(t *testing.T) {
	b := newBetween(t)
	a := assist(t, nil, "--admin", b.listener.Addr().String())
	var started []any
	for range 2 {
		a.fails("status", nil, "ask the daemon: ")
		a.fails("metrics", nil, "ask the daemon: ")
		t.Run("daemon", func(t *testing.T) {
			_, admin := serveWithConsole(t, t.TempDir())
			b.to.Store(&admin)
			defer b.to.Store(nil)
			for range 2 {
				started = append(started, a.read("status", nil)["started"])
			}
		})
	}
	if len(started) != 4 || started[0] != started[1] || started[1] == started[2] {
		t.Errorf("the daemons started at %v", started)
	}
}

// A connection that is lost during an action leaves open whether it was done. The assistant must learn that, and nothing
// may try again.
func TestAssistantLosesAction(t *testing.T) {
	dir := t.TempDir()
	router, admin := serveWithConsole(t, dir, "--config", put(t, "s.yaml", "admin: {payloads: true}\nrouting: {default_policy: allow}\n"))
	b := newBetween(t)
	b.to.Store(&admin)
	a := assist(t, nil, "--admin", b.listener.Addr().String(), "--allow-actions")
	letter := a.deadLetter(router, dir, "weather")
	weather := (&remoteService{t: t, token: createToken(t, dir, "--service", "weather"), asked: make(chan struct{}, 8)}).join("ws://" + router + "/")
	answer := make(chan string, 1)
	go func() {
		text, _ := a.call("deadletter_replay", map[string]any{"number": letter, "confirm": letter})
		answer <- text
	}()
	select {
	case <-weather.asked:
	case text := <-answer:
		t.Fatalf("the service was not asked: %s", text)
	}
	b.cut()
	if text := <-answer; !strings.Contains(text, "; it may have been done: look at the tool audit before you try again") {
		t.Errorf("answer: %s", text)
	}
	if row := rows(t, a.read("services", map[string]any{"search": "weather"}))[0]; row["requests"] != 1. || len(weather.asked) > 0 {
		t.Errorf("the service was asked %v times", row["requests"])
	}
}

func TestAssistantIsNotLetIn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_ = l.Close()
	a := assist(t, nil, "--admin", free)
	for _, tool := range []string{"status", "metrics", "tree"} {
		a.fails(tool, nil, "no router answers at "+free+": does strowger serve run")
	}

	const password = "correct horse"
	r := begin(t, func(p *program) { p.stdin = strings.NewReader(password + "\n") }, "admin", "password")
	r.wait(0)
	_, admin := serveWithConsole(t, t.TempDir(), "--config",
		put(t, "s.yaml", fmt.Sprintf("admin: {password_hash: %q, trust_loopback: false}\n", strings.TrimSpace(r.stdout.String()))))
	assist(t, nil, "--admin", admin).fails("status", nil, "asks for a password: put it into the environment variable STROWGER_ADMIN_PASSWORD")
	assist(t, []string{passwordVariable + "=wrong"}, "--admin", admin).fails("status", nil, "the password in STROWGER_ADMIN_PASSWORD is wrong")
	if status := assist(t, []string{passwordVariable + "=" + password}, "--admin", admin).read("status", nil); status["ready"] != true {
		t.Errorf("status: %v", status)
	}
}

// TestAssistantStreams looks at the process as a program in another language would: nothing but messages is on stdout, and
// the process ends well when stdin does.
func TestAssistantStreams(t *testing.T) {
	cmd, stderr := mcpCommand(t, nil, "--admin", "127.0.0.1:1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(stdout)
	for i, line := range []string{
		`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"status","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"connections","arguments":null}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"tree"}}`,
		`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"tree","arguments":[]}}`,
		`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"frobnicate","arguments":{}}}`,
	} {
		if _, err := fmt.Fprintln(stdin, line); err != nil {
			t.Fatal(err)
		}
		text, err := answers.ReadString('\n')
		var message struct {
			Version string `json:"jsonrpc"`
			ID      *int
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &message)
		}
		if err != nil || message.Version != "2.0" || message.ID == nil || *message.ID != i {
			t.Errorf("%v: the answer to %s is %s", err, line, text)
		}
	}
	stdin.Close()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
		t.Errorf("%v: besides there is %q", err, rest)
	}
	if err := cmd.Wait(); err != nil || stderr.String() != "" {
		t.Errorf("end: %v\nstderr: %s", err, stderr)
	}
}

func TestAssistantAnswerIsBounded(t *testing.T) {
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	for name, size := range map[string]int{"fits": largestToolAnswer, "does_not_fit": largestToolAnswer + 1} {
		(&tool[noInput]{name: name, do: func(context.Context, *noInput) (string, error) { return strings.Repeat("x", size), nil }}).add(server)
	}
	here, there := mcp.NewInMemoryTransports()
	serving, err := server.Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &assisted{t, session}
	if text, failed := a.call("fits", nil); failed || len(text) != largestToolAnswer {
		t.Errorf("%d bytes, failed is %v", len(text), failed)
	}
	a.fails("does_not_fit", nil, "the answer has 262145 bytes, more than 262144: ask for less")
	if err := errors.Join(session.Close(), serving.Wait()); err != nil {
		t.Error(err)
	}
}
