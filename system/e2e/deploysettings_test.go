package e2e

import (
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDeployReadsUnit gives strowger the variables and the flags that systemd would, and names no variable on a
// command line. It goes no further, so that nothing changes.
func TestDeployReadsUnit(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.write("bin/strowger", 0o755, "#!/bin/sh\nexit 1\n")
	h.write("more/two words", 0o600, "STROWGER_TWO=2\n")
	for name, test := range map[string]struct{ unit, file, want, flags string }{
		"values of a file": {
			unit: "EnvironmentFile=@",
			file: "STROWGER_A=\"a\"\n STROWGER_B = 'b'\nSTROWGER_C=c 'c'  \n#STROWGER_D=d\n;STROWGER_D=d\nSTROWGER_E=\"e \\\"e\\$ \\n\"\nSTROWGER_F=f\\\nf\nSTROWGER_G='g\ng'\nSTROWGER_H='h'\" h\"\nSTROWGER_I=i'i\nSTROWGER_J=\r\nOTHER=o",
			want: "STROWGER_A=a\nSTROWGER_B=b\nSTROWGER_C=c 'c'\nSTROWGER_E=e \"e$ \\n\nSTROWGER_F=ff\nSTROWGER_G=g\nSTROWGER_H=h h\nSTROWGER_I=i'i\nSTROWGER_J=\n",
		},
		"several files": {
			unit: "Environment=STROWGER_A=here STROWGER_B=b\nEnvironmentFile=@\nEnvironmentFile=-/nonexistent\nEnvironmentFile=-ROOT/more/two*",
			file: "STROWGER_A='a'",
			want: "STROWGER_A=a\nSTROWGER_B=b\nSTROWGER_TWO=2\n",
		},
		"values of the unit": {
			unit: `Environment="STROWGER_A=a a" 'STROWGER_B=b"' STROWGER_C='c' OTHER=o` + "\n Environment = STROWGER_D=50%% \"STROWGER_E=\\\"e\"",
			want: "STROWGER_A=a a\nSTROWGER_B=b\"\nSTROWGER_C=c\nSTROWGER_D=50%\nSTROWGER_E=\"e\n",
		},
		"lines that go on": {
			unit:  "Environment=STROWGER_A=a \\\n# not this\n  STROWGER_B=b\nExecStart=\nExecStart=/usr/local/bin/strowger serve \\\n  --config \\\n  '/a b'",
			want:  "STROWGER_A=a\nSTROWGER_B=b\n",
			flags: "--config=/a b\n",
		},
		"lines taken back": {
			unit: "Environment=STROWGER_A=a\nEnvironment=\nEnvironment=STROWGER_B=b\nEnvironmentFile=/nonexistent\nEnvironmentFile=",
			want: "STROWGER_B=b\n",
		},
		"another section": {unit: "[Unit]\nEnvironment=STROWGER_A=a"},
		"admin =":         {unit: "Environment=STROWGER_ADMIN__ADDRESS=here\nExecStart=/strowger serve --admin='[::1]:1'", want: "STROWGER_ADMIN__ADDRESS=[::1]:1\n"},
		"admin":           {unit: "ExecStart=/strowger serve --fusionpbx=/c --admin :1", want: "STROWGER_ADMIN__ADDRESS=:1\n", flags: "--fusionpbx=/c\n"},
		"admin off":       {unit: `ExecStart=/strowger serve --admin "" --fusionpbx`, want: "STROWGER_ADMIN__ADDRESS=\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.write("variables", 0o600, test.file)
			unit := strings.NewReplacer("@", h.root+"/variables", "ROOT", h.root).Replace(test.unit)
			h.write("etc/systemd/system/websockets.service.d/admin.conf", 0o644, "[Service]\n"+unit)
			h.before = h.files()
			if out, err := h.run("fusionpbx", "over"); err == nil || !strings.Contains(out, "nothing was changed") {
				t.Errorf("%v\n%s", err, out)
			}
			h.wantBack()
			if got := h.read("given"); got != test.want {
				t.Errorf("the variables are\n%swant\n%s", got, test.want)
			}
			if got, want := h.read("arguments"), "-u\nwww-data\n--\n"+h.root+"/bin/strowger\nconfig\nshow\n--fusionpbx\n"+test.flags; got != want {
				t.Errorf("the arguments are\n%swant\n%s", got, want)
			}
		})
	}
}

// read returns the text of a file of the machine.
func (h *host) read(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.root, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// TestDeployWithoutEnvironmentFile changes nothing if systemd could not start the unit for want of a file.
func TestDeployWithoutEnvironmentFile(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.write("etc/systemd/system/websockets.service.d/admin.conf", 0o644, "[Service]\nEnvironmentFile=/nonexistent\n")
	h.before = h.files()
	if out, err := h.run("fusionpbx", "over"); err == nil || !strings.Contains(out, "/nonexistent is not there; nothing was changed") {
		t.Errorf("%v\n%s", err, out)
	}
	h.wantBack()
}

// TestDeployFindsRouter says what is wrong where the router does not get ready, and asks with wget as with curl.
func TestDeployFindsRouter(t *testing.T) {
	tools := map[string][]string{"curl": nil, "wget": {"PATH=" + withoutCurl(t)}}
	if _, err := exec.LookPath("curl"); err != nil {
		delete(tools, "curl")
	}
	h := newHost(t, "etc/systemd/system")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	h.before = h.files()
	for tool, env := range tools {
		h.env = append([]string{"PATIENCE=0"}, env...)
		if tool == "wget" {
			h.env[1] = "PATH=" + h.root + "/bin:" + strings.TrimPrefix(env[0], "PATH=")
			_ = os.Remove(filepath.Join(h.root, "bin/curl")) // there is none if no curl is installed
		}
		for name, test := range map[string]struct {
			admin   string
			unready int64
			other   bool
			fails   string
			want    string // "" if it is ready
		}{
			"ready":             {admin: h.admin},
			"not ready":         {admin: h.admin, unready: math.MaxInt64, want: "get ready; http://" + h.admin + `/readyz says: {"ready":false,"problems":["of database"]};`},
			"another program":   {admin: h.admin, other: true, want: "another program answers at http://" + h.admin + "/readyz (admin.address): welcome;"},
			"nobody":            {admin: nobody, want: "websockets runs, but nothing answers at http://" + nobody + "/readyz (admin.address);"},
			"off":               {},
			"off, not running":  {fails: "is-active websockets", want: "websockets does not run; see"},
			"does not run":      {admin: h.admin, fails: "is-active websockets", want: "websockets does not run; see"},
			"address of a port": {admin: nobody[strings.LastIndex(nobody, ":"):], want: "nothing answers at http://" + nobody},
		} {
			t.Run(tool+" "+name, func(t *testing.T) {
				h.t = t
				h.shows("admin:\n  address: \"" + test.admin + "\"  # default\n")
				h.write("fails", 0o600, test.fails)
				h.unready.Store(test.unready)
				h.other.Store(test.other)
				out, err := h.run("fusionpbx", "over", "router")
				if (err == nil) != (test.want == "") || !strings.Contains(out, test.want) {
					t.Errorf("%v\n%swant %s", err, out, test.want)
				}
			})
		}
	}
}

// withoutCurl returns a directory with what the script needs besides curl.
func withoutCurl(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"awk", "cat", "chmod", "cp", "dirname", "env", "grep", "install", "mkdir", "mv", "rm", "rmdir", "sed", "sh", "sleep", "sort", "tail", "touch", "wget"} {
		if err := os.Symlink(lookPath(t, "", tool), filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDeployBackByCondition gives a unit back of which nothing is left but its condition, also after one that stopped
// half-way.
func TestDeployBackByCondition(t *testing.T) {
	h := newHost(t, "etc/systemd/system")
	h.ok(h.run("bin/systemctl", "disable", "--now", "operator_panel"))
	h.write("etc/systemd/system/operator_panel.service.d/strowger.conf", 0o644, "[Unit]\nConditionPathExists=!/usr/local/bin/strowger\n")
	h.write("fails", 0o600, "enable operator_panel")
	for range 2 {
		if out, err := h.run("fusionpbx", "back"); err == nil || !strings.Contains(out, "these units do not start") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	h.remove("fails")
	h.ok(h.run("fusionpbx", "back"))
	h.wantBack()
	h.wantAll()
}
