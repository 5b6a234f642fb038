package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestClusterTable(t *testing.T) {
	const two = `{"clustered":true,"name":"c","node":"a","bus":{"connected":true,"since":"2026-11-30T01:19:14Z","server":"inside","listen":"127.0.0.1:7001","routes":1},` +
		`"nodes":[{"name":"a","version":"v1","state":"self","services":[{"name":"clock","instances":1},{"name":"calls","instances":2}]},` +
		`{"name":"b","version":"v2","state":"linked","heartbeat_ms":57,"queued_bytes":2048,"unacknowledged":3,"resets":4}]}`
	tests := map[string]struct {
		answer string
		whole  bool
		want   []string
	}{
		"alone": {`{"clustered":false,"nodes":[]}`, true, []string{"The router is alone: neither cluster.listen nor cluster.nats is set."}},
		"two": {two, true, []string{
			"node a of cluster c",
			"bus: connected since 2026-11-30T01:19:14Z, NATS inside takes nodes at 127.0.0.1:7001, 1 routes",
			"",
			"NODE  STATE   VERSION  HEARD  QUEUED   LAG  RESETS  SERVICES",
			"a     self    v1       -      -        -    0       clock 1, calls 2",
			"b     linked  v2       57ms   2.0 KiB  3    4",
		}},
		"singletons": {`{"clustered":true,"name":"c","node":"pbx1","bus":{"connected":true},"nodes":[` +
			`{"name":"pbx1","state":"self","singletons":[{"name":"nightly.report","state":"serves"},{"name":"odd","state":"ails"}]},` +
			`{"name":"pbx2","state":"linked","singletons":[{"name":"nightly.report","state":"stands"}]},` +
			`{"name":"pbx3","state":"linked","singletons":[{"name":"idle","state":"stands"},{"name":"nightly.report","state":"stands"}]}]}`, true, []string{
			"node pbx1 of cluster c",
			"bus: connected",
			"",
			"NODE  STATE   VERSION  HEARD  QUEUED  LAG  RESETS  SERVICES",
			"pbx1  self             -      -       -    0",
			"pbx2  linked           0s     0 B     0    0",
			"pbx3  linked           0s     0 B     0    0",
			"",
			"SINGLETON       RUNS ON               STANDS BY",
			"idle            -                     pbx3",
			"nightly.report  pbx1                  pbx2, pbx3",
			"odd             pbx1 (does not work)  -",
		}},
		"away": {`{"clustered":true,"name":"c","node":"a","bus":{"since":"2026-11-30T01:19:14Z","server":"nats://x:4222","reason":"EOF"},"nodes":[{"name":"a","state":"self"}]}`, false, []string{
			"node a of cluster c",
			"bus: away since 2026-11-30T01:19:14Z, nats://x:4222: EOF",
			"",
			"NODE  STATE  VERSION  HEARD  QUEUED  LAG  RESETS  SERVICES",
			"a     self            -      -       -    0",
		}},
		"refused": {`{"clustered":true,"name":"c","node":"a","bus":{"connected":true},"nodes":[{"name":"b","state":"refused","reason":"too old","version":"v0"}]}`, false, []string{
			"node a of cluster c",
			"bus: connected",
			"",
			"NODE  STATE             VERSION  HEARD  QUEUED  LAG  RESETS  SERVICES",
			"b     refused: too old  v0       0s     0 B     0    0",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var state clusterState
			if err := json.Unmarshal([]byte(test.answer), &state); err != nil {
				t.Fatal(err)
			}
			if state.whole() != test.whole {
				t.Errorf("all is well: %v", state.whole())
			}
			var out strings.Builder
			if err := state.print(&out); err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(out.String()) {
				got = append(got, strings.TrimRight(line, " \n"))
			}
			if want := strings.Join(test.want, "\n"); strings.Join(got, "\n") != want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), want)
			}
		})
	}
}

// The line of status and top says what is amiss, and a name does not reach the terminal as it is.
func TestClusterLine(t *testing.T) {
	var hello clusterHello
	if err := json.Unmarshal([]byte(`{"name":"c","node":"a\u001b[2J","nodes":2,"linked":1,"notes":[{"part":"cluster","reason":"the bus is away"}]}`), &hello); err != nil {
		t.Fatal(err)
	}
	got := hello.line()
	if strings.Contains(got, "\x1b") || !strings.HasSuffix(got, "of cluster c, 1 of 2 other nodes linked; the bus is away") {
		t.Errorf("the line is %q", got)
	}
	screen := &topScreen{width: 80, height: 24}
	screen.tables.daemon.Cluster = &hello
	if lines := screen.lines(); !strings.Contains(lines[3], "1 of 2 other nodes linked") {
		t.Errorf("the screen is %q", lines)
	}
}

// The flags of the cluster set its keys, with the checks of a file.
func TestClusterFlags(t *testing.T) {
	var out, stderr strings.Builder
	for flags, want := range map[string]string{
		"--cluster-listen 10.0.0.1:7001":                          "cluster.secret_file: is empty",
		"--cluster-routes 10.0.0.1:7001":                          "cluster.listen: is empty, cluster.routes needs it",
		"--cluster-listen 127.0.0.1:1 --cluster-nats a:4222":      "cluster.nats: is set, and so is cluster.listen",
		"--cluster-nats http://a:4222":                            "cluster.nats: http://a:4222 begins with http://",
		"--cluster-listen 127.0.0.1:1 --cluster-routes a:1,b":     "cluster.routes: b is not host:port",
		"--cluster-listen :1 --cluster-secret-file /nowhere/file": "cluster.secret_file: open /nowhere/file: no such file",
	} {
		out.Reset()
		stderr.Reset()
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "", "--token-dir", t.TempDir()}, strings.Fields(flags)...)
		if status := run(args, strings.NewReader(""), &out, &stderr, nil); status == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %s", flags, status, &stderr)
		}
	}
}
