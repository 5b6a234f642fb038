package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deployBlock returns the commands of the block in docs/deploy.md that has a text in it.
func deployBlock(t *testing.T, text string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], text) {
			return block[1]
		}
	}
	t.Fatalf("docs/deploy.md has no block with %q", text)
	return ""
}

// units is a directory in the place of /, with a unit of FusionPBX as its installer leaves it: a regular
// file in /etc, enabled.
type units struct {
	t    *testing.T
	root string
}

func newUnits(t *testing.T) *units {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_SYSTEMD", "systemctl")
	u := &units{t, t.TempDir()}
	dir := filepath.Join(u.root, "etc", "systemd", "system")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unit := "[Service]\nExecStart=/usr/bin/php active_calls.php\n[Install]\nWantedBy=multi-user.target\n"
	if err := os.WriteFile(filepath.Join(dir, "active_calls.service"), []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := u.run("systemctl enable active_calls"); err != nil {
		t.Fatalf("enable: %v\n%s", err, out)
	}
	return u
}

// run carries out commands of the page, with its directory in the place of / and without the manager,
// which is not running here.
func (u *units) run(commands string) (string, error) {
	commands = strings.ReplaceAll(commands, "NAME", "active_calls")
	commands = strings.ReplaceAll(commands, "/etc/systemd", u.root+"/etc/systemd")
	commands = strings.ReplaceAll(commands, " --now", "")
	function := `systemctl() { [ "$1" = daemon-reload ] || command systemctl --root='` + u.root + `' "$@"; }` + "\n"
	out, err := exec.Command("sh", "-ec", function+commands).CombinedOutput()
	return string(out), err
}

func (u *units) enabled() string {
	out, _ := u.run("systemctl is-enabled NAME") // the status is not 0 for what is disabled
	return strings.TrimSpace(out)
}

// TestDeployDisablesServices takes the page's way to keep a PHP service from starting, and back.
func TestDeployDisablesServices(t *testing.T) {
	u := newUnits(t)
	if out, err := u.run(deployBlock(t, "ConditionPathExists")); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := u.enabled(); got != "disabled" {
		t.Errorf("the unit is %s", got)
	}
	dropIn := filepath.Join(u.root, "etc", "systemd", "system", "active_calls.service.d", "strowger.conf")
	text, err := os.ReadFile(dropIn)
	if err != nil || string(text) != "[Unit]\nConditionPathExists=!/usr/local/bin/strowger\n" {
		t.Errorf("the drop-in has %q, %v", text, err)
	}
	var back []string
	for line := range strings.Lines(deployBlock(t, "each service of section 4")) {
		if strings.Contains(line, "NAME") {
			back = append(back, line)
		}
	}
	if out, err := u.run(strings.Join(back, "")); err != nil || len(back) != 2 {
		t.Fatalf("%q: %v\n%s", back, err, out)
	}
	if _, err := os.Stat(dropIn); !os.IsNotExist(err) {
		t.Errorf("the drop-in is still there: %v", err)
	}
	if got := u.enabled(); got != "enabled" {
		t.Errorf("on the way back the unit is %s", got)
	}
}

// TestDeployMaskFails holds the page to what it says about mask.
func TestDeployMaskFails(t *testing.T) {
	u := newUnits(t)
	out, err := u.run("systemctl mask NAME")
	if err == nil || !strings.Contains(out, "already exists") {
		t.Errorf("mask: %v\n%s", err, out)
	}
}
