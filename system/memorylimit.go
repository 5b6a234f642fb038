package system

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// What totals are where no limit of the memory is known.
const (
	outboundDefault = 1 << 30
	inboundDefault  = 1 << 30
	pendingDefault  = 256 << 20
)

// partOfMemory returns a total: what is set, or else a part of the memory limit, or else what is usual.
func partOfMemory(set, part, usual int64) int64 {
	switch limit := debug.SetMemoryLimit(-1); {
	case set > 0:
		return set
	case limit < math.MaxInt64:
		return max(limit/part, 1)
	}
	return usual
}

// withinMemory returns a total: what is set, and never more than a part of the memory limit, so that all totals together
// leave room for what they do not count.
func withinMemory(set, part int64) int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return min(set, max(limit/part, 1))
	}
	return set
}

// limitMemory tells the runtime how much memory the process should need: what is set, or else nine tenths of what the
// cgroup allows, so that memory which is not the runtime's has room. It is for the whole process. A limit that is there
// already stays: that of the environment (GOMEMLIMIT), or of a program that embeds the router. It returns the limit and who
// has set it; 0: nobody.
func limitMemory(set int64, files fs.FS) (limit int64, by string) {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit, "set before"
	}
	if set > 0 {
		limit, by = set, "memory.limit"
	} else if allowed := cgroupLimit(files); allowed > 0 {
		limit, by = allowed/10*9, "cgroup"
	} else {
		return 0, ""
	}
	debug.SetMemoryLimit(limit)
	return limit, by
}

// rootFiles are the files of the machine.
func rootFiles() fs.FS { return os.DirFS("/") }

// cgroupLimit returns how much memory the cgroup of this process allows, the least of it and those above it. 0 means that
// there is no limit, or none that can be read.
func cgroupLimit(files fs.FS) int64 {
	own, err := fs.ReadFile(files, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(own)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case controllers == "":
			if limit := leastLimit(files, "sys/fs/cgroup", group, "memory.max"); limit > 0 {
				return limit
			}
		case strings.Contains(","+controllers+",", ",memory,"):
			if limit := leastLimit(files, "sys/fs/cgroup/memory", group, "memory.limit_in_bytes"); limit > 0 {
				return limit
			}
		}
	}
	return 0
}

// unlimited is what the first version of cgroups has for no limit, or more.
const unlimited = 1 << 60

// leastLimit returns the least number in the files of that name from the group's directory up to root. A group that a
// container does not see is taken for its root.
func leastLimit(files fs.FS, root, group, name string) int64 {
	least := int64(0)
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		if text, err := fs.ReadFile(files, path.Join(root, dir, name)); err == nil {
			limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && limit > 0 && limit < unlimited && (least == 0 || limit < least) {
				least = limit
			}
		}
		if dir == "/" {
			return least
		}
	}
}
