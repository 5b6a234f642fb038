package system

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"strowger/system/service"
	"strowger/system/token"
)

// Nothing is added or removed while another process takes over. When that fails, everything is as before.
func TestNoChangesDuringAnUpgrade(t *testing.T) {
	var n int
	s := start(t, dynamicConfig(t), grouped("a", &n, nil))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	upgraded := make(chan error, 1)
	go func() {
		_, err := s.Upgrade(ctx, exec.Command("sleep", "600")) // says nothing
		upgraded <- err
	}()
	eventually(t, "the upgrade is under way", func() bool {
		err := s.Add(context.Background(), grouped("b", &n, nil))
		if err == nil {
			err = s.Remove(context.Background(), "b")
		}
		return errors.Is(err, errUpgrades)
	})
	refusedWith(t, s.Remove(t.Context(), "a"), errUpgrades, "")
	cancel()
	if err := <-upgraded; err == nil {
		t.Fatal("the upgrade has succeeded")
	}
	add(t, s, grouped("c", &n, nil))
	remove(t, s, "c")
	remove(t, s, "a")
}

// A process that takes over makes the services anew that were made from templates. One that cannot does not take over.
func TestTemplatesAndUpgrade(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{Config: heirConfig(dir), Log: slog.New(slog.DiscardHandler), Templates: map[string]Template{"echo": echoTemplate}})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := func() { _ = s.Stop(context.Background()) }
	t.Cleanup(stop)
	c := member(t, s, token.Spec{Kind: token.User, DomainName: "a.example"})
	if err := (shown{s}).Add(t.Context(), "hello", "echo", map[string]string{"text": "x"}); err != nil {
		t.Fatal(err)
	}
	var n int
	add(t, s, grouped("program", &n, nil))
	upgrade := func(more ...string) error {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), heirVariable+"="+dir), more...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		end, said, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = said
		_, err = s.Upgrade(t.Context(), cmd)
		_ = said.Close()
		t.Cleanup(func() {
			_ = in.Close()
			_, _ = io.Copy(io.Discard, end) // until the process has ended
			_ = end.Close()
		})
		return err
	}
	if err := upgrade(); err == nil || !strings.Contains(err.Error(), `service "hello", which the old process has: there is no template "echo"`) {
		t.Fatalf("without templates: %v", err)
	}
	wantReply(t, c, "hello", "say", nil, `"x"`)
	if err := upgrade(templatesVariable + "=1"); err != nil {
		t.Fatal(err)
	}
	stop()
	wantReply(t, c, "hello", "say", nil, `"x"`)
	// The other one is for the program to add.
	if got := status(t, c, "program", "starts"); got != 404 {
		t.Errorf("the service that the program had added: %d", got)
	}
}

// A service that was made from a template may be one that the program has from the start in the new process. Its template
// is not needed then.
func TestInheritedServiceThatTheProgramHas(t *testing.T) {
	s, err := New(Options{Config: dynamicConfig(t), Log: slog.New(slog.DiscardHandler), Templates: map[string]Template{"echo": echoTemplate}})
	if err != nil {
		t.Fatal(err)
	}
	s.heir = &Heir{greeting: greeting{Added: []recipe{
		{Name: "hello", Template: "former"},
		{Name: "other", Template: "echo", Args: map[string]string{"text": "x"}},
	}}}
	var n int
	if err := s.settle([]*service.Service{grouped("hello", &n, nil)}, nil); err != nil {
		t.Fatal(err)
	}
	if h := s.services.get("hello"); h == nil || h.added {
		t.Error("the program's own service is not there")
	}
	if h := s.services.get("other"); h == nil || !h.added {
		t.Error("the service of a template is not there")
	}
}
