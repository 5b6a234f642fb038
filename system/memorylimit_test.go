package system

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	type files map[string]string
	for name, c := range map[string]struct {
		files files
		want  int64
	}{
		"none":           {nil, 0},
		"second version": {files{"proc/self/cgroup": "0::/system.slice/strowger.service\n", "sys/fs/cgroup/system.slice/strowger.service/memory.max": "268435456\n"}, 256 << 20},
		"no limit":       {files{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		"of one above":   {files{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/memory.max": "2000\n"}, 1000},
		"container":      {files{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "3000\n"}, 3000},
		"unseen group":   {files{"proc/self/cgroup": "0::/../../b\n", "sys/fs/cgroup/memory.max": "3000\n"}, 3000},
		"first version":  {files{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "4000\n"}, 4000},
		"first, none":    {files{"proc/self/cgroup": "4:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"nonsense":       {files{"proc/self/cgroup": "\n::\n0\n0::/a\n", "sys/fs/cgroup/a/memory.max": "-1\n", "sys/fs/cgroup/memory.max": "lots\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fs := make(fstest.MapFS)
			for path, text := range c.files {
				fs[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := cgroupLimit(fs); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// A limit of the environment holds whatever is set, a setting holds against the cgroup, and what may wait for slow readers
// follows.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	files := fstest.MapFS{"proc/self/cgroup": {Data: []byte("0::/\n")}, "sys/fs/cgroup/memory.max": {Data: []byte("8000000000\n")}}
	for _, c := range []struct {
		name     string
		there    int64
		set      int64
		files    fstest.MapFS
		limit    int64
		by       string
		outbound int64
	}{
		{"nothing", math.MaxInt64, 0, nil, 0, "", outboundDefault},
		{"cgroup", math.MaxInt64, 0, files, 7_200_000_000, "cgroup", 1_800_000_000},
		{"setting", math.MaxInt64, 6_000_000_000, files, 6_000_000_000, "memory.limit", 1_500_000_000},
		{"environment", 4_000_000_000, 6_000_000_000, files, 4_000_000_000, "set before", 1_000_000_000},
	} {
		debug.SetMemoryLimit(c.there)
		limit, by := limitMemory(c.set, c.files)
		if limit != c.limit || by != c.by {
			t.Errorf("%s: limit %d by %q, want %d by %q", c.name, limit, by, c.limit, c.by)
		}
		if got := partOfMemory(0, 4, outboundDefault); got != c.outbound {
			t.Errorf("%s: %d bytes may wait, want %d", c.name, got, c.outbound)
		}
		if got := withinMemory(1<<40, 16); c.limit > 0 && got != c.limit/16 || c.limit == 0 && got != 1<<40 {
			t.Errorf("%s: %d bytes of 1 TiB, want a sixteenth of the limit if there is one", c.name, got)
		}
		if got := withinMemory(7, 16); got != 7 {
			t.Errorf("%s: %d bytes, want what is set", c.name, got)
		}
		if got := partOfMemory(7, 4, outboundDefault); got != 7 {
			t.Errorf("%s: %d bytes may wait, want what is set", c.name, got)
		}
	}
}
