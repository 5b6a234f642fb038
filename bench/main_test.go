package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strowger/bench/report"
	"strowger/bench/server"
)

// TestMain lets the test binary be the peers, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == server.ServeVerb {
		if err := run(os.Args[1:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Every workload with every server, as small as can be: each counts its messages itself.
func TestSmoke(t *testing.T) {
	t.Setenv("FUSIONPBX_SRC", "")
	out := t.TempDir()
	args := []string{"-plan", "smoke", "-root", "..", "-out", out}
	names := []string{"hub", "centrifuge", "nats", "strowger"}
	if _, missing := exec.LookPath("cc"); missing == nil {
		program, err := server.BuildFloor(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "-program", "another="+program)
		names = append(names, "floor", "another")
	}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	result, err := report.Read(filepath.Join(out, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, s := range result.Series {
		if len(s.Rounds) != 1 {
			t.Errorf("%s with %s has %d rounds, want 1", s.Workload, s.Server, len(s.Rounds))
		}
		seen[s.Server] = true
	}
	for _, name := range names {
		if !seen[name] {
			t.Errorf("%s did not take part", name)
		}
	}
	tables, err := os.ReadFile(filepath.Join(out, "results.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range smokeWorkloads() {
		if !strings.Contains(string(tables), s.Title) {
			t.Errorf("no %q in the tables", s.Title)
		}
	}
}

func TestOptions(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string // in the error
	}{
		"unknown plan":    {args: []string{"-plan", "huge"}, want: "huge is not one of"},
		"broken regexp":   {args: []string{"-only", "("}, want: "-only"},
		"nothing to do":   {args: []string{"-strowger", "true", "-servers", "hub", "-only", "nothing"}, want: "no workload like nothing"},
		"stray argument":  {args: []string{"full"}, want: `unexpected argument "full"`},
		"unknown server":  {args: []string{"-servers", "apache"}, want: "apache is not known"},
		"unknown peer":    {args: []string{"serve", "apache"}, want: "no peer has the name apache"},
		"report of none":  {args: []string{"report"}, want: "which results"},
		"missing results": {args: []string{"report", "/nonexistent.json"}, want: "read result"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			args := test.args
			if strings.HasPrefix(args[0], "-") {
				args = append([]string{"-out", t.TempDir()}, args...)
			}
			err := run(args)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// Targets must name workloads and servers that are measured.
func TestTargets(t *testing.T) {
	known := make(map[string]bool)
	for _, w := range fullWorkloads() {
		known[w.Name] = true
	}
	for _, target := range targets() {
		if !known[target.Workload] {
			t.Errorf("%s: no workload %s", target.Title, target.Workload)
		}
	}
}
