package check

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"strowger/transport"
)

// descriptors is about RLIMIT_NOFILE.
func (c *checker) descriptors(r *report) {
	limit, whose := c.descriptorLimit()
	l := &c.Config.Limits
	capacity, short := transport.Capacity(&transport.Limits{Connections: l.Connections, ServiceReserve: l.ServiceReserve}, limit)
	switch {
	case limit == 0:
		r.note(Descriptors, c.asRoot(), "this system does not tell how many file descriptors there may be")
	case short:
		need := max(65536, transport.Descriptors(l.Connections))
		mend := fmt.Sprintf("ulimit -n %d # where strowger is started; LimitNOFILE=%[1]d in a unit", need)
		if c.units().router.ours() {
			mend = fmt.Sprintf("systemctl edit websockets # [Service] LimitNOFILE=%d, then: systemctl restart websockets", need)
		}
		r.warn(Descriptors, mend,
			"%d file descriptors (%s) are room for %d connections only, limits.connections is %d", limit, whose, capacity, l.Connections)
	default:
		r.ok(Descriptors, "%d file descriptors (%s) are enough for the %d of limits.connections", limit, whose, l.Connections)
	}
}

// descriptorLimit returns the limit of the running router, of its unit, or of this process.
func (c *checker) descriptorLimit() (limit int, whose string) {
	h := c.listen()
	if len(h.processes) > 0 && h.processes[0].strowger() {
		pid := h.processes[0].pid
		if limit := processLimit(c.Machine.proc(strconv.Itoa(pid) + "/limits")); limit > 0 {
			return limit, fmt.Sprintf("of the running router, pid %d", pid)
		}
	}
	if u := c.units().router; u.ours() {
		if limit, err := strconv.Atoi(u["LimitNOFILE"]); err == nil {
			return limit, "LimitNOFILE of the unit websockets"
		}
	}
	return c.Machine.Descriptors(), "ulimit -n here; a service manager may give another number"
}

// processLimit reads the limit of a process, 0 if it cannot be read.
func processLimit(file string) int {
	data, _ := os.ReadFile(file)
	for line := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if fields := strings.Fields(rest); ok && len(fields) > 0 {
			if fields[0] == "unlimited" {
				return 1 << 30
			}
			limit, _ := strconv.Atoi(fields[0])
			return limit
		}
	}
	return 0
}
