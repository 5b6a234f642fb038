package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	tests := map[string]struct {
		stat string
		want time.Duration
		err  bool
	}{
		"plain":                     {stat: "1 (strowger) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20", want: 2 * time.Second},
		"a name with a bracket":     {stat: "1 (a) b c) S 1 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20", want: 30 * time.Millisecond},
		"nothing":                   {err: true},
		"too short":                 {stat: "1 (a) S 1 2 3", err: true},
		"a word where time belongs": {stat: "1 (a) S 1 1 1 0 -1 4194560 1 0 0 0 x 2 0 0 20", err: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat([]byte(test.stat))
			if got != test.want || (err != nil) != test.err {
				t.Fatalf("got %s, %v; want %s, error %t", got, err, test.want, test.err)
			}
		})
	}
}

func TestParseStatus(t *testing.T) {
	status := []byte("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t     512 kB\n")
	if got, err := parseStatus(status, "VmRSS:"); got != 512<<10 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := parseStatus(status, "VmSwap:"); err == nil {
		t.Errorf("got %d for what is not there", got)
	}
}

func TestRead(t *testing.T) {
	usage, err := Read(os.Getpid())
	if err != nil || usage.RSS <= 0 || usage.Peak < usage.RSS {
		t.Fatalf("got %+v, %v", usage, err)
	}
	if n, err := Files(os.Getpid()); err != nil || n < 3 {
		t.Fatalf("got %d files, %v", n, err)
	}
}

func TestStart(t *testing.T) {
	p, err := Start(exec.Command("sh", "-c", `echo '{"msg":"admin","addr":"127.0.0.1:98"}
{"msg":"listening","addr":"127.0.0.1:99"}'; exec sleep 60`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Addr.Port() != 99 {
		t.Errorf("got address %s", p.Addr)
	}
	if err := p.Alive(); err != nil {
		t.Error(err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if err := p.Alive(); err == nil {
		t.Error("alive after Stop")
	}
}

func TestStartTellsWhyNot(t *testing.T) {
	_, err := Start(exec.Command("sh", "-c", "echo no room here; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "no room here") || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("got %v", err)
	}
	if _, err := Start(exec.Command("/nonexistent/program")); err == nil {
		t.Fatal("started what is not there")
	}
}
