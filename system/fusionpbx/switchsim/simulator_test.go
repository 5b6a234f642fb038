package switchsim_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"strowger/system/fusionpbx/switchsim"
)

const patience = 2 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func corpus() fs.FS { return os.DirFS("../../../testdata/fusionpbx/corpus") }

func load(t *testing.T, name string) *switchsim.Recording {
	t.Helper()
	recording, err := switchsim.Load(corpus(), name)
	if err != nil {
		t.Fatal(err)
	}
	return recording
}

// peer is a client that writes and reads text.
type peer struct {
	*testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, sim *switchsim.Simulator) *peer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", sim.Addr(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &peer{t, conn, bufio.NewReader(conn)}
}

// ask sends the command, if there is one, and returns the next message.
func (p *peer) ask(command string) string {
	p.Helper()
	if command != "" {
		if _, err := io.WriteString(p.conn, command+"\n\n"); err != nil {
			p.Fatal(err)
		}
	}
	var head strings.Builder
	length := 0
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.Fatalf("after %q: %v", head.String(), err)
		}
		head.WriteString(line)
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if line == "\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(p.in, body); err != nil {
		p.Fatal(err)
	}
	return head.String() + string(body)
}

func (p *peer) login() {
	p.Helper()
	if got := p.ask(""); !strings.HasPrefix(got, "Content-Type: auth/request\n") {
		p.Fatalf("greeting %q", got)
	}
	if got := p.ask("auth ClueCon"); got != "Content-Type: command/reply\nReply-Text: +OK accepted\n\n" {
		p.Fatalf("login %q", got)
	}
}

func start(t *testing.T, name string, o switchsim.Options) *switchsim.Simulator {
	t.Helper()
	sim, err := switchsim.Start(load(t, name), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

// TestConversation compares answers with what the switch that was recorded said.
func TestConversation(t *testing.T) {
	sim := start(t, "calls-idle", switchsim.Options{})
	p := dial(t, sim)
	p.login()
	reply := func(text string) string { return "Content-Type: command/reply\nReply-Text: " + text + "\n\n" }
	api := func(text string) string {
		return fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(text), text)
	}
	for _, step := range [][2]string{
		{"nonsense", reply("-ERR command not found")},
		{"api", reply("-ERR command not found")},
		{"filter", reply("-ERR command not found")},
		{"filter Event-Name", reply("-ERR invalid syntax")},
		{"filter Event-Name HEARTBEAT", reply("+OK filter added. [Event-Name]=[HEARTBEAT]")},
		{"event plain all", reply("+OK event listener enabled plain")},
		{"linger", reply("-ERR not controlling a session")},
		{"api show channels as json", api("{\"row_count\": 0}\n")},
		{"api nosuchcommand x", api("-ERR nosuchcommand Command not found!\n")},
		{"api uuid_kill", api("-USAGE: <uuid> [cause]\n")},
		{"api uuid_kill zz", api("-ERR No such channel!\n")},
		{"exit", reply("+OK bye")},
	} {
		if got := p.ask(step[0]); got != step[1] {
			t.Errorf("%s: %q, want %q", step[0], got, step[1])
		}
	}
	if got := p.ask(""); !strings.HasPrefix(got, "Content-Type: text/disconnect-notice\n") {
		t.Errorf("got %q", got)
	}
	if _, err := p.in.ReadByte(); err != io.EOF {
		t.Errorf("after the notice: %v", err)
	}
}

// TestSaysWhatItIs looks for it where somebody would: the greeting, the version, the log. The log has no password.
func TestSaysWhatItIs(t *testing.T) {
	var log locked
	sim := start(t, "calls-busy", switchsim.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	p := dial(t, sim)
	greeting := p.ask("")
	p.ask("auth ClueCon")
	for _, text := range []string{greeting, p.ask("api version"), p.ask("api status"), log.String()} {
		if !strings.Contains(strings.ToLower(text), "simulator") {
			t.Errorf("%q does not say that it is a simulator", text)
		}
	}
	if strings.Contains(log.String()+fmt.Sprint(sim.Commands()), "ClueCon") {
		t.Error("the password was kept")
	}
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestPlay reads all events of a recording as they were, at a speed.
func TestPlay(t *testing.T) {
	sim := start(t, "calls-busy", switchsim.Options{Speed: 1000})
	p := dial(t, sim)
	p.login()
	p.ask("event plain all")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- sim.Play(ctx) }()
	for i, event := range load(t, "calls-busy").Events {
		if got := p.ask(""); got != string(event.Raw) {
			t.Fatalf("event %d: %q, want %q", i, got, event.Raw)
		}
	}
	if err := <-played; err != nil {
		t.Fatal(err)
	}
}

func TestFilterPasses(t *testing.T) {
	sim := start(t, "calls-valet", switchsim.Options{})
	p := dial(t, sim)
	p.login()
	p.ask("filter event-subclass VALET_PARKING::INFO")
	p.ask("event plain all")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := sim.Play(ctx); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := p.ask(""); !strings.Contains(got, "valet_parking%3A%3Ainfo") {
			t.Errorf("got %q", got)
		}
	}
	if got := p.ask("api version"); !strings.HasPrefix(got, "Content-Type: api/response") {
		t.Errorf("a fourth event: %q", got)
	}
}

// TestAnswersInTime asks the same command at several times of a recording.
func TestAnswersInTime(t *testing.T) {
	recording, err := switchsim.Load(fstest.MapFS{
		"x/switch.jsonl": {Data: []byte(`{"t":100,"from":"client","conn":"a#1","data":"api c\n\n"}` + "\n" +
			`{"t":110,"from":"switch","conn":"a#1","data":"Content-Type: api/response\nContent-Length: 5\n\nexact"}` + "\n" +
			`{"t":900,"from":"switch","conn":"events","data":"Content-Length: 8\n\nA: \udceb%\n\n"}` + "\n")},
		"x/api.json": {Data: []byte(`{"c":[[0,"first"],[1000,"second \ud83d\udeb8 \udcff"],[500,"middle"]]}`)},
	}, "x")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]string{0: "exact", 110: "exact", 310: "exact", 311: "exact", 600: "middle", 941: "second 🚸 \xff", 5000: "second 🚸 \xff"} {
		if got, ok := recording.Answer("c", time.Duration(at)*time.Millisecond); !ok || got != want {
			t.Errorf("at %d ms: %q, want %q", at, got, want)
		}
	}
	if _, ok := recording.Answer("d", 0); ok {
		t.Error("an answer to a command that was never given")
	}
	if raw := string(recording.Events[0].Raw); !strings.HasSuffix(raw, "A: \xeb%\n\n") {
		t.Errorf("bytes were lost: %q", raw)
	}
}

func TestAnswerAndDelay(t *testing.T) {
	delayed := make(chan string, 1)
	sim, err := switchsim.Start(load(t, "calls-idle"), switchsim.Options{Faults: switchsim.Faults{
		Answer: func(command string) (string, bool) { return "-ERR no\n", command == "uptime" },
		Delay:  func(command string) time.Duration { delayed <- command; return time.Nanosecond },
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	p := dial(t, sim)
	p.ask("")
	p.ask("auth ClueCon")
	for command, want := range map[string]string{"uptime": "-ERR no\n", "version": "Simulator"} {
		if got := p.ask("api " + command); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
		if got := <-delayed; got != command {
			t.Errorf("the reply to %q was delayed, want %q", got, command)
		}
	}
}

// TestSetsLevels asks for the levels of members, and sets them.
func TestSetsLevels(t *testing.T) {
	sim, err := switchsim.Start(load(t, "panel-conference"), switchsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	p := dial(t, sim)
	p.ask("")
	p.ask("auth ClueCon")
	for command, want := range map[string]string{
		"conference '3001@a.example.com' volume_in 6 3": " = 3\n", "conference '3001@a.example.com' volume_out 6 -2": " = -2\n",
		"conference '3001@a.example.com' volume_in 99 3": "-ERR", "conference '3009@a.example.com' volume_in 6 3": "-ERR",
	} {
		if got := p.ask("api " + command); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "[::]:0", "nonsense"} {
		if sim, err := switchsim.Start(load(t, "calls-busy"), switchsim.Options{Address: address}); err == nil {
			sim.Close()
			t.Errorf("it listens on %s", address)
		}
	}
	if _, err := switchsim.Load(corpus(), "no-such"); err == nil {
		t.Error("a recording that is not there was loaded")
	}
	if _, err := switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: []byte("{}\nnonsense")}}, "x"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("nonsense was loaded: %v", err)
	}
	sim := start(t, "calls-busy", switchsim.Options{})
	p := dial(t, sim)
	p.ask("")
	if got := p.ask("auth wrong"); !strings.Contains(got, "-ERR invalid") {
		t.Errorf("a wrong password: %q", got)
	}
}

// TestMangles checks that each gives what it says and leaves the recording alone.
func TestMangles(t *testing.T) {
	raw := []byte("Content-Length: 20\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c\n\n")
	tests := map[string]struct {
		mangle switchsim.Mangle
		want   string
	}{
		"length":  {switchsim.BadLength, "Content-Length: -1\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c\n\n"},
		"inner":   {switchsim.BadInnerLength, "Content-Length: 39\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c\nContent-Length: -1\n\n"},
		"percent": {switchsim.BadPercent, "Content-Length: 46\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c\nBad-Percent: 100%25%zz%4%\n\n"},
		"header":  {switchsim.HugeHeader(3), "Content-Length: 30\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c\nHuge: xxx\n\n"},
		"head":    {switchsim.HugeHead(3), "Huge: xxx\n" + string(raw)},
		"cut":     {switchsim.Truncate, "Content-Length: 13\nContent-Type: text/event-plain\n\nEvent-Name: A"},
	}
	for name, test := range tests {
		before := string(raw)
		if got := string(test.mangle(raw)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if string(raw) != before {
			t.Errorf("%s changed the recording", name)
		}
	}
}
