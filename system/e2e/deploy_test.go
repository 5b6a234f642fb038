package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"strowger/system/internal/daemontest"
)

// host is a machine with FusionPBX's units, as far as deploy/fusionpbx sees one: real systemctl in a directory in the
// place of /, without a manager, and commands of the manager only noted.
type host struct {
	t       *testing.T
	root    string
	before  map[string]string // the files of the units
	env     []string          // of the script, besides
	admin   string            // the address of the admin pages
	unready atomic.Int64      // how many more times /readyz says that it is not
	other   atomic.Bool       // whether another program answers in the place of the admin pages
}

// fusionUnits are FusionPBX's daemons.
func fusionUnits() []string {
	return []string{"websockets", "active_calls", "active_conferences", "operator_panel", "system_status"}
}

func newHost(t *testing.T, unitDir string) *host {
	t.Helper()
	lookPath(t, "STROWGER_REQUIRE_SYSTEMD", "systemctl")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, root: t.TempDir()}
	for _, name := range fusionUnits() {
		h.write(unitDir+"/"+name+".service", 0o644, "[Service]\nExecStart=/usr/bin/php "+name+".php\n[Install]\nWantedBy=multi-user.target\n")
	}
	h.write("root/.keep", 0o600, "")
	h.write("config.conf", 0o600, "websocket.host = 127.0.0.1\n")
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/readyz" || h.other.Load():
			fmt.Fprintln(w, "welcome")
		case h.unready.Add(-1) >= 0:
			http.Error(w, `{"ready":false,"problems":["of database"]}`, http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, `{"ready":true,"problems":[]}`)
		}
	}))
	t.Cleanup(admin.Close)
	h.admin = admin.Listener.Addr().String()
	h.write("etc/systemd/system/websockets.service.d/admin.conf", 0o644, "[Service]\nEnvironment=\"STROWGER_ADMIN__ADDRESS="+h.admin+"\" A=b\n")
	h.write("bin/strowger", 0o755, fmt.Sprintf("#!/bin/sh\n[ \"$3\" = --fusionpbx ] || exit 1\nshift 3\nexec '%s' config show --fusionpbx='%s/config.conf' \"$@\"\n", path, h.root))
	h.write("bin/runuser", 0o755, "#!/bin/sh\nprintf '%s\\n' \"$@\" >'"+h.root+"/arguments'\nenv | grep ^STROWGER_ | sort >'"+h.root+"/given'\nshift 3\nexec \"$@\"\n")
	if curl, err := exec.LookPath("curl"); err == nil { // one as old as Debian 11's
		h.write("bin/curl", 0o755, "#!/bin/sh\ncase \"$*\" in *fail-with-body*) exit 2 ;; esac\nexec "+curl+" \"$@\"\n")
	}
	systemctl, err := exec.LookPath("systemctl")
	if err != nil {
		t.Fatal(err)
	}
	h.write("bin/systemctl", 0o755, `#!/bin/sh
echo "$*" >>'`+h.root+`/commands'
verb=$1
shift
now=; [ "${1-}" != --now ] || { now=yes; shift; }
[ "${1-}" != --quiet ] || shift
[ "$verb ${1-}" != "$(cat '`+h.root+`/fails' 2>/dev/null)" ] || exit 1
case $verb$now in start | restart | enableyes) touch '`+h.root+`/active-'"$1"; rm -f '`+h.root+`/failed-'"$1" ;; stop | disableyes) rm -f '`+h.root+`/active-'"$1" ;; esac
case $verb in
enable | disable) exec '`+systemctl+`' --quiet --root='`+h.root+`' "$verb" "$@" ;;
is-enabled) exec '`+systemctl+`' --root='`+h.root+`' "$verb" "$@" ;;
is-active) if [ -e '`+h.root+`/failed-'"$1" ]; then echo failed; exit 3; elif [ -e '`+h.root+`/active-'"$1" ]; then echo active; else echo inactive; exit 3; fi ;;
cat) [ -L '`+h.root+`'/etc/systemd/system/"$1" ] || cat '`+h.root+`'/etc/systemd/system/"$1" 2>/dev/null || cat '`+h.root+`'/lib/systemd/system/"$1" ;;
esac
`)
	for _, name := range fusionUnits() {
		h.ok(h.run("bin/systemctl", "enable", "--now", name))
	}
	h.before = h.files()
	return h
}

func (h *host) write(name string, mode os.FileMode, text string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a program of the machine, or the script.
func (h *host) run(program string, args ...string) (string, error) {
	h.t.Helper()
	var caller []string
	if program == "fusionpbx" {
		program, caller = "../../deploy/fusionpbx", []string{"STROWGER_TLS=of the caller"}
	} else {
		program = filepath.Join(h.root, program)
	}
	cmd := daemontest.Command(program, args...)
	cmd.Env = append(cmd.Env, "PATH="+h.root+"/bin:"+os.Getenv("PATH"), "UNITS="+h.root+"/etc/systemd/system",
		"BACKUP="+h.root+"/root/websockets.service.fusionpbx", "STATE="+h.root+"/root/units.fusionpbx", "PATIENCE=120", "STROWGER="+h.root+"/bin/strowger")
	cmd.Env = append(append(cmd.Env, caller...), h.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h *host) ok(out string, err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
}

// files returns what is below the directories of units and of root: texts of files, targets of links.
func (h *host) files() map[string]string {
	h.t.Helper()
	found := map[string]string{}
	for _, dir := range []string{"etc", "lib", "root"} {
		err := filepath.WalkDir(filepath.Join(h.root, dir), func(path string, entry os.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if target, linkErr := os.Readlink(path); linkErr == nil {
				text, err = []byte("-> "+target), nil
			}
			found[strings.TrimPrefix(path, h.root)] = string(text)
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return found
}

// active returns the units that run.
func (h *host) active() []string {
	h.t.Helper()
	paths, err := filepath.Glob(filepath.Join(h.root, "active-*"))
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, strings.TrimPrefix(filepath.Base(path), "active-"))
	}
	return names
}

// enabled returns the units that start at boot.
func (h *host) enabled() []string {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.root, "etc/systemd/system/multi-user.target.wants"))
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".service"))
	}
	return names
}

// wantOver wants strowger to be the router, and services to stay in PHP.
func (h *host) wantOver(services ...string) {
	h.t.Helper()
	if unit := h.files()["/etc/systemd/system/websockets.service"]; !strings.Contains(unit, "strowger-websockets serve --fusionpbx") {
		h.t.Errorf("the unit is\n%s", unit)
	}
	want := append([]string{"websockets"}, services...)
	slices.Sort(want)
	if got := h.enabled(); !slices.Equal(got, want) {
		h.t.Errorf("at boot %v start, want %v", got, want)
	}
	if got := h.active(); !slices.Equal(got, want) {
		h.t.Errorf("%v run, want %v", got, want)
	}
	for _, name := range fusionUnits()[1:] {
		dropIn, there := h.files()["/etc/systemd/system/"+name+".service.d/strowger.conf"]
		if there == slices.Contains(services, name) || there && dropIn != "[Unit]\nConditionPathExists=!"+h.root+"/bin/strowger\n" {
			h.t.Errorf("the condition of %s: %v, %q", name, there, dropIn)
		}
	}
}

// wantBack wants the machine to be as it was.
func (h *host) wantBack() {
	h.t.Helper()
	after := h.files()
	for name := range after {
		if _, ok := h.before[name]; !ok {
			h.t.Errorf("%s is left", name)
		}
	}
	for name, text := range h.before {
		if after[name] != text {
			h.t.Errorf("%s was\n%s\nand is\n%s", name, text, after[name])
		}
	}
}

// TestDeployOverAndBack goes over and back by one command each, for the router alone and for all services, with units
// where FusionPBX's installer puts them and where a package would.
func TestDeployOverAndBack(t *testing.T) {
	for _, command := range []string{"over  ", "over router\n", "back\n"} {
		deployBlock(t, "sh deploy/fusionpbx "+command)
	}
	for _, dir := range []string{"etc/systemd/system", "lib/systemd/system"} {
		t.Run(dir, func(t *testing.T) {
			h := newHost(t, dir)
			h.shows(h.shown())
			h.ok(h.run("fusionpbx", "over", "router"))
			h.wantOver(fusionUnits()[1:]...)
			h.wantPHP()
			h.ok(h.run("fusionpbx", "over"))
			h.wantOver()
			h.ok(h.run("fusionpbx", "over")) // again
			h.wantOver()
			h.ok(h.run("fusionpbx", "back"))
			h.wantBack()
			h.ok(h.run("fusionpbx", "over"))
			h.ok(h.run("fusionpbx", "over", "router"))
			h.wantOver(fusionUnits()[1:]...)
			h.ok(h.run("fusionpbx", "back"))
			h.wantBack()
		})
	}
}

// wantPHP wants the unit's environment to leave all services to PHP, as the daemon reads it.
func (h *host) wantPHP() {
	h.t.Helper()
	path, err := binary()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := daemontest.Command(path, "config", "show", "--fusionpbx="+h.root+"/config.conf")
	for line := range strings.Lines(h.files()["/etc/systemd/system/websockets.service.d/strowger-router.conf"]) {
		if variables, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			cmd.Env = append(cmd.Env, strings.Fields(variables)...)
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"active_calls: php", "active_conferences: php", "operator_panel: php", "enabled: false"} {
		if !strings.Contains(strings.ReplaceAll(string(out), `"`, ""), want) {
			h.t.Errorf("the settings have no %s:\n%s", want, out)
		}
	}
}

// TestDeployRefuses wants the script to change nothing where it could not go on.
func TestDeployRefuses(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	refused := func(want string, args ...string) {
		t.Helper()
		if out, err := h.run("fusionpbx", args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v\n%s\nwant %s", args, err, out, want)
		}
		h.wantBack()
	}
	refused("usage:")
	refused("usage:", "over", "there")
	refused("nothing to take back", "back")
	h.write("config.conf", 0o600, "websocket.port = many\n")
	refused("nothing was changed", "over")
	if err := os.Remove(filepath.Join(h.root, "bin/strowger")); err != nil {
		t.Fatal(err)
	}
	refused("install it first", "over")
}
