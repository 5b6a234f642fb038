package token

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestDefaultOwners(t *testing.T) {
	usual := []int{0, os.Geteuid()}
	account, err := user.Lookup(webServer)
	if _, unknown := errors.AsType[user.UnknownUserError](err); err != nil && !unknown {
		t.Fatal(err)
	}
	if err == nil {
		id, err := strconv.Atoi(account.Uid)
		if err != nil {
			t.Fatal(err)
		}
		usual = append(usual, id)
	}
	tests := []struct {
		name  string
		names []string
		more  []int // Besides the usual.
	}{
		{"nobody named", nil, nil},
		{"by id", []string{"4242", "4141"}, []int{4141, 4242}},
		{"by name", []string{"root"}, nil},
		{"twice", []string{"4242", "4242"}, []int{4242}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(usual), test.more...))))
			got, err := DefaultOwners(test.names)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
	for _, name := range []string{"", "-1", "4294967295", "4294967296", "no such user", "1.5"} {
		if got, err := DefaultOwners([]string{"0", name}); err == nil || !strings.HasPrefix(err.Error(), "token owner") {
			t.Errorf("%q: got %v, %v, want an error that says which owner", name, got, err)
		}
	}
}

// A machine without /etc/passwd has no names, but ids do.
func TestOwnersWithoutPasswd(t *testing.T) {
	none := func(string) (*user.User, error) {
		return nil, &fs.PathError{Op: "open", Path: "/etc/passwd", Err: fs.ErrNotExist}
	}
	want := slices.Compact(slices.Sorted(slices.Values([]int{0, 33, os.Geteuid()})))
	if got, err := defaultOwners([]string{"33"}, none); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := defaultOwners([]string{"fusionpbx"}, none); err == nil || !strings.Contains(err.Error(), "write the user's id") {
		t.Errorf("a name: got %v, %v", got, err)
	}
	broken := func(string) (*user.User, error) { return nil, errors.New("the directory service is down") }
	if got, err := defaultOwners(nil, broken); err == nil {
		t.Errorf("a lookup that fails: got %v, want an error", got)
	}
}
