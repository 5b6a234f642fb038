package succession

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"strowger/system"
	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// verb runs strowger upgrade and returns what it says and its status.
func (r *running) verb(args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	cmd := daemontest.Command(r.binary, append([]string{"upgrade", "--admin", r.admin}, args...)...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), complaint.String(), exit.ExitCode()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out), complaint.String(), 0
}

// TestVerb: strowger upgrade says what became of it, and its status does.
func TestVerb(t *testing.T) {
	r := run(t, open)
	w := r.authenticate(r.mint(token.Spec{}))
	out, complaint, status := r.verb()
	var version string
	if _, err := fmt.Sscanf(out, "process %d, version %s has taken over 1 connection\npause: half of them up to", &r.pid, &version); err != nil || status != 0 || complaint != "" {
		t.Errorf("upgrade says %q, %q, status %d: %v", out, complaint, status, err)
	}
	out, complaint, status = r.verb("--json")
	u := new(system.Upgraded)
	if err := json.Unmarshal([]byte(out), u); err != nil || u.Connections != 1 || u.Max <= 0 || status != 0 || complaint != "" {
		t.Fatalf("upgrade --json says %q, %q, status %d: %v", out, complaint, status, err)
	}
	r.pid = u.PID
	r.reload(open, "binary: /nonexistent")
	r.Allow("upgrade failed, this process goes on")
	if out, complaint, status = r.verb(); out != "" || status != 3 || !strings.Contains(complaint, "no such file") {
		t.Errorf("an upgrade that fails says %q, %q, status %d", out, complaint, status)
	}
	// The process that has taken over knows who is connected.
	rows, err := daemontest.Command(r.binary, "connections", "--json", "--admin", r.admin).Output()
	if err != nil || !strings.Contains(string(rows), `"role":"client"`) {
		t.Errorf("connections: %v, %s; want a client", err, rows)
	}
	w.text(offered("x"))
	if m := w.message(); m.RequestID != "x" {
		t.Errorf("got %+v", m)
	}
}
