package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// TestEmptyRoot runs the static binary as in an image with nothing else in it: there is no /etc/passwd, /tmp, /dev
// and /proc, and the user has a number only. Without a directory for tokens the router starts, and is not ready; a
// directory that comes later makes it ready.
func TestEmptyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	architectures := []string{runtime.GOARCH}
	if runtime.GOARCH == "amd64" {
		architectures = append(architectures, "386") // its user ids do not fit an int
	}
	for _, architecture := range architectures {
		binary := filepath.Join(t.TempDir(), "strowger")
		// With the flags of releases, so that what was compiled for one is not compiled again.
		build := exec.Command("go", "build", "-trimpath", "-o", binary, "strowger/cmd/strowger")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+architecture)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
		for _, uid := range []uint32{0, 1<<31 + 5} {
			t.Run(fmt.Sprintf("%s as %d", architecture, uid), func(t *testing.T) { runInEmptyRoot(t, binary, uid) })
		}
	}
}

func runInEmptyRoot(t *testing.T, binary string, uid uint32) {
	t.Parallel() // the looks for the directory take their time
	root := t.TempDir()
	if err := errors.Join(os.Chmod(root, 0o755), os.Chmod(filepath.Dir(root), 0o755), os.Link(binary, filepath.Join(root, "strowger"))); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/strowger", "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Env = []string{}
	cmd.Dir = "/"
	daemontest.Group(cmd)
	cmd.SysProcAttr.Chroot = root
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	d, err := daemontest.Start(cmd, "")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this root may not change the root directory")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// That no token could be claimed is an error in the log, and meant.
		if err := d.Stop(); err != nil && !strings.Contains(err.Error(), "no token can be claimed") {
			t.Error(err)
		}
	})
	var admin []string
	eventually(t, "the admin pages listen", func() bool {
		admin = regexp.MustCompile(`"msg":"admin listening","addr":"([^"]+)"`).FindStringSubmatch(d.Log())
		return admin != nil
	})
	if !strings.Contains(d.Log(), `"setting":"tokens.directory"`) {
		t.Errorf("the log does not name tokens.directory:\n%s", d.Log())
	}
	status, problems := readiness(t, admin[1])
	if status == http.StatusOK && len(problems) == 0 {
		// The look for the directory may still be to come.
		eventually(t, "it is not ready", func() bool { status, problems = readiness(t, admin[1]); return status != http.StatusOK })
	}
	if len(problems) != 1 || problems[0].Part != "tokens" {
		t.Errorf("status %d, problems %v; want one of tokens", status, problems)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(root, "tmp"), 0), os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready with a directory", func() bool { status, _ := readiness(t, admin[1]); return status == http.StatusOK })
}

// eventually waits until is holds.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

type problem struct{ Part, Reason string }

// readiness asks /readyz.
func readiness(t *testing.T, admin string) (status int, problems []problem) {
	t.Helper()
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Problems []problem }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return r.StatusCode, answer.Problems
}
