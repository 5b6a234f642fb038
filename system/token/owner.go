package token

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// webServer is the user FusionPBX's pages run as where nothing else is said.
const webServer = "www-data"

// DefaultOwners returns the user ids that may issue tokens, sorted: this
// process's own, root, www-data where that user exists, and those of names,
// each a user name or a decimal id. A name that is not on this machine is an
// error. Without /etc/passwd, as in a container made from nothing, there are
// no names, so www-data must be given as its id. Windows has no user ids: there
// it returns none, and any name is an error.
func DefaultOwners(names []string) ([]int, error) {
	if os.Geteuid() == noOwner {
		return noOwners(names)
	}
	return defaultOwners(names, user.Lookup)
}

// lookup finds a user by name, as user.Lookup does.
type lookup func(name string) (*user.User, error)

func defaultOwners(names []string, find lookup) ([]int, error) {
	owners := []int{0, os.Geteuid()}
	id, err := lookupOwner(webServer, find)
	_, unknown := errors.AsType[user.UnknownUserError](err)
	switch {
	case err == nil:
		owners = append(owners, id)
	case !unknown && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	for _, name := range names {
		id, err := lookupOwner(name, find)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; this machine has no list of users, write the user's id", err)
		}
		if err != nil {
			return nil, err
		}
		owners = append(owners, id)
	}
	slices.Sort(owners)
	return slices.Compact(owners), nil
}

// noOwners refuses names on a system without user ids.
func noOwners(names []string) ([]int, error) {
	if len(names) > 0 {
		return nil, fmt.Errorf("token owner %q: this system has no user ids, leave the list empty: whoever may write to the directory may issue tokens", names[0])
	}
	return nil, nil
}

// lookupOwner returns the user id of a name or of a decimal number. The largest
// 32-bit number is no user: the kernel uses it for "none".
func lookupOwner(name string, find lookup) (int, error) {
	if name == "" {
		return 0, errors.New("token owner: empty name")
	}
	text := name
	if strings.Trim(name, "0123456789") != "" {
		account, err := find(name)
		if err != nil {
			return 0, fmt.Errorf("token owner %q: %w", name, err)
		}
		text = account.Uid
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == math.MaxUint32 {
		return 0, fmt.Errorf("token owner %q: want a user name or a user id below %d", name, uint32(math.MaxUint32))
	}
	return int(id), nil
}

// overridesOwner reports whether this process may delete files of others from a
// sticky directory: on Linux by its capabilities, elsewhere by being root.
func overridesOwner() bool {
	const capFowner = 3
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return os.Geteuid() == 0
	}
	_, rest, found := strings.Cut(string(status), "\nCapEff:")
	line, _, _ := strings.Cut(rest, "\n")
	set, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if !found || err != nil {
		return os.Geteuid() == 0
	}
	return set&(1<<capFowner) != 0
}
