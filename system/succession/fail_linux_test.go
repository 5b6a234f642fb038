package succession

import (
	"context"
	"encoding/gob"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/system"
	"strowger/system/token"
)

// actVariable has this test binary act as a new process that goes a part of the way; see act.
const actVariable = "SUCCESSION_ACT"

// The steps that a new process goes before it ends or hangs.
const (
	nothing = iota
	greeted
	built
	loading
	loaded
	ready
)

// act is a new process that goes so many steps, and then ends or, with a word after them, hangs.
func act(what string) int {
	text, hangs := strings.CutSuffix(what, " and hang")
	steps, err := strconv.Atoi(text)
	if err != nil {
		return 2
	}
	if err := walk(steps); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if hangs {
		<-make(chan struct{})
	}
	return 7
}

// What the old process says, as far as it is looked at here.
type (
	note  struct{ Failed, Version string }
	cargo struct{ Connections int }
	lot   struct{ Grants []int }
)

func walk(steps int) error {
	fd, err := strconv.Atoi(os.Getenv(system.UpgradeVariable))
	if err != nil || steps == nothing {
		return err
	}
	conn, err := net.FileConn(os.NewFile(uintptr(fd), "upgrade"))
	if err != nil {
		return err
	}
	in, out := gob.NewDecoder(conn), gob.NewEncoder(conn)
	var hello struct{ Format int }
	if err := in.Decode(&hello); err != nil || steps == greeted {
		return err
	}
	if err := out.Encode(&note{Version: "act"}); err != nil || steps == built {
		return err
	}
	var c cargo
	if err := in.Decode(&c); err != nil || steps == loading {
		return err
	}
	for n := 0; n < c.Connections; {
		var l lot
		if err := in.Decode(&l); err != nil {
			return err
		}
		n += len(l.Grants)
	}
	if err := takeFiles(fd + 1); err != nil || steps == loaded {
		return err
	}
	return out.Encode(&note{Version: "act"})
}

// takeFiles takes the listening sockets, and the few connections of the test.
func takeFiles(fd int) error {
	conn, err := net.FileConn(os.NewFile(uintptr(fd), "upgrade"))
	if err != nil {
		return err
	}
	for range 2 {
		if _, _, _, _, err := conn.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), make([]byte, 4096)); err != nil {
			return err
		}
	}
	return nil
}

// script writes a program that an upgrade starts.
func (r *running) script(text string) string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// TestNewProcessFails: whatever the new process does short of taking over, nobody notices, and a good one takes over
// after that.
func TestNewProcessFails(t *testing.T) {
	patient := open + "limits: {header_timeout: 5m, authentication_timeout: 1h, outbound_bytes: 64MiB, write_timeout: 10m}\n"
	r := run(t, patient)
	r.Allow("cannot start")
	svc := r.service("weather")
	asker := r.authenticate(r.mint(token.Spec{Services: []string{"weather"}}))
	silent, early := r.accept(), r.open()
	slow := r.authenticate(r.mint(token.Spec{Services: []string{"weather"}}))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	acts := func(what string) string {
		return r.script("export " + actVariable + "='" + what + "'\nexec " + self + " \"$@\"")
	}
	filler := strings.Repeat("x", 1_000_000) // more than the kernel takes for one that does not read
	asked, broadcasts := 0, 0
	// There is always a request under way, a half message, and something that waits for the slow one.
	svc.text(fmt.Sprintf(`{"service_name":"weather","topic":"n","payload":"%d %s"}`, broadcasts, filler))
	if m := asker.message(); m.Topic != "n" {
		t.Fatalf("got %+v", m)
	}
	for name, test := range map[string]struct {
		binary, limits string
		words          []string
	}{
		"no file":           {binary: "/nonexistent", words: []string{"start the new process", "no such file"}},
		"no program":        {binary: r.config, words: []string{"start the new process", "permission denied"}},
		"ends":              {binary: acts("0"), words: []string{"before it was built", "exit status 7"}},
		"ends greeted":      {binary: acts("1"), words: []string{"before it was built", "exit status 7"}},
		"ends built":        {binary: acts("2"), words: []string{"exit status 7"}},
		"ends loading":      {binary: acts("3"), words: []string{"exit status 7"}},
		"ends loaded":       {binary: acts("4"), words: []string{"exit status 7"}},
		"ends ready":        {binary: acts("5"), words: []string{"when it was to go on", "exit status 7"}},
		"hangs":             {binary: acts("0 and hang"), limits: "timeout: 1s", words: []string{"upgrade.timeout is 1s", "killed"}},
		"hangs greeted":     {binary: acts("1 and hang"), limits: "timeout: 1s", words: []string{"upgrade.timeout is 1s", "killed"}},
		"hangs built":       {binary: acts("2 and hang"), limits: "pause: 300ms", words: []string{"upgrade.pause", "killed"}},
		"hangs loading":     {binary: acts("3 and hang"), limits: "pause: 300ms", words: []string{"upgrade.pause", "killed"}},
		"hangs loaded":      {binary: acts("4 and hang"), limits: "pause: 300ms", words: []string{"upgrade.pause", "killed"}},
		"hangs ready":       {binary: acts("5 and hang"), limits: "pause: 300ms", words: []string{"upgrade.pause", "killed"}},
		"its settings":      {binary: r.script("export STROWGER_LIMITS__DEPTH=deep\nexec " + r.binary + ` "$@"`), words: []string{"the new process says", "limits.depth"}},
		"cannot listen":     {binary: r.script("export STROWGER_ADMIN__PPROF=true\nexec " + r.binary + ` "$@" --listen 192.0.2.1:1`), words: []string{"the new process says", "192.0.2.1:1"}},
		"another format":    {binary: r.script("exec " + r.binary + " version"), words: []string{"before it was built", "exit status 0"}},
		"an unknown option": {binary: r.script("exec " + r.binary + ` "$@" --nonsense`), words: []string{"exit status 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			r.reload(patient, "binary: "+test.binary, test.limits)
			whole := frame(opText, true, request("weather", fmt.Sprint(asked), "question"))
			asked++
			asker.write(append(frame(opText, true, offered("half")), whole[:9]...))
			if m := asker.message(); m.RequestID != "half" {
				t.Fatalf("got %+v", m)
			}
			r.fail(test.words...)
			asker.write(whole[9:])
			question := svc.message()
			r.fail(test.words...)
			svc.reply(question, "answer")
			broadcasts++
			svc.text(fmt.Sprintf(`{"service_name":"weather","topic":"n","payload":"%d %s"}`, broadcasts, filler))
			for answered, heard := false, false; !answered || !heard; {
				switch m := asker.message(); {
				case m.Topic == "t" && string(m.Payload) == `"answer"` && m.RequestID == question.RequestID && !answered:
					answered = true
				case m.Topic == "n" && strings.HasPrefix(string(m.Payload), fmt.Sprintf(`"%d `, broadcasts)):
					heard = true
				default:
					t.Fatalf("got %+v", m)
				}
			}
		})
	}
	r.t = t
	r.reload(patient)
	r.upgrade()
	r.metric("strowger_upgrade_failed_total", 36)
	silent.shake()
	silent.login(r.mint(token.Spec{}), 200)
	early.login(r.mint(token.Spec{}), 200)
	for i := range broadcasts + 1 {
		if m := slow.message(); !strings.HasPrefix(string(m.Payload), fmt.Sprintf(`"%d `, i)) {
			t.Fatalf("message %d of the slow one is %.20s", i, m.Payload)
		}
	}
}

// reload writes settings, with more of upgrade, and has them read.
func (r *running) reload(yaml string, upgrade ...string) {
	r.t.Helper()
	if len(upgrade) > 0 {
		for _, set := range upgrade {
			key, value, _ := strings.Cut(set, ": ")
			switch key {
			case "pause":
				yaml = strings.Replace(yaml, "pause: 1m", "pause: "+value, 1)
			case "timeout":
				yaml = strings.Replace(yaml, "timeout: 2m", "timeout: "+value, 1)
			case "binary":
				yaml = strings.Replace(yaml, "timeout: 2m}", "timeout: 2m, binary: "+value+"}", 1)
			}
		}
	}
	r.configure(yaml)
	status, body := r.ask("/reload")
	if status != 200 {
		r.t.Fatalf("reload: %d %s", status, body)
	}
}

// TestSettingsAreWrong: an upgrade does not begin with settings that a new process would refuse.
func TestSettingsAreWrong(t *testing.T) {
	r := run(t, open)
	r.configure("limits: {depth: deep}\n")
	r.fail("the new process would find its settings wrong", "limits.depth")
	r.configure(open)
	r.upgrade()
}

// TestStopDuringUpgrade: a daemon that is told to stop waits for no new process.
func TestStopDuringUpgrade(t *testing.T) {
	r := run(t, open)
	r.reload(open, "binary: "+r.script("exec sleep 1000"))
	w := r.authenticate(r.mint(token.Spec{}))
	r.Allow("upgrade failed, this process goes on")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.ask("/upgrade")
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Await(ctx, `"msg":"upgrade begins"`); err != nil {
		t.Fatal(err)
	}
	r.stop()
	w.closed(1001)
	<-ended
}

// TestSignal: SIGUSR2 upgrades, and the service manager hears which process it has to watch.
func TestSignal(t *testing.T) {
	dir := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	r := run(t, open)
	w := r.authenticate(r.mint(token.Spec{}))
	if err := syscall.Kill(r.pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for buffer := make([]byte, 4096); ; {
		n, err := manager.Read(buffer)
		if err != nil {
			t.Fatalf("the manager does not hear of the new process: %v\n%s", err, r.Log())
		}
		first, _, _ := strings.Cut(string(buffer[:n]), "\n")
		if pid, ok := strings.CutPrefix(first, "MAINPID="); ok {
			if r.pid, err = strconv.Atoi(pid); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	w.text(offered("x"))
	if m := w.message(); m.RequestID != "x" {
		t.Errorf("got %+v", m)
	}
	r.stop()
	w.closed(1001)
}
