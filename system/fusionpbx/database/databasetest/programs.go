//go:build unix

package databasetest

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// programs returns where initdb and postgres are. Debian keeps them out of PATH, by version.
func programs(t testing.TB) (initdb, postgres string) {
	t.Helper()
	directories := []string{""}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	slices.Reverse(found)
	for _, dir := range append(directories, found...) {
		initdb, err := exec.LookPath(filepath.Join(dir, "initdb"))
		if err != nil {
			continue
		}
		if postgres, err := exec.LookPath(filepath.Join(dir, "postgres")); err == nil {
			return initdb, postgres
		}
	}
	if os.Getenv("STROWGER_REQUIRE_POSTGRES") == "1" {
		t.Fatal("PostgreSQL is not installed and STROWGER_REQUIRE_POSTGRES is 1")
	}
	t.Skip("PostgreSQL is not installed")
	return "", ""
}

// nobody returns the user that the server runs as if this process is root, which PostgreSQL refuses; nil if
// it is not.
func nobody(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("root may not run PostgreSQL, and there is neither a user postgres nor a user nobody")
	return nil
}
