package check

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// fewest is how many connections must be able to wait for the router: when it restarts, all pages come back at once.
const fewest = 1024

// mostPorts is how many ports there are from 1024 on.
const mostPorts = 65535 - 1024 + 1

// kernel is about limits of the kernel that a router meets before its own.
func (c *checker) kernel(r *report) {
	connections := c.Config.Limits.Connections
	want := min(connections, fewest)
	for _, name := range []string{"net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"} {
		switch value, ok := c.sysctl(name); {
		case !ok:
			r.note(KernelBacklog, "", "%s is not there: this system has no such limit, or does not show it", name)
		case value[0] < want:
			r.warn(KernelBacklog, setSysctl(name+"=4096"), "%s is %d: when all pages come back at once, connections are dropped (want %d)", name, value[0], want)
		default:
			r.ok(KernelBacklog, "%s is %d", name, value[0])
		}
	}
	c.ports(r, connections)
	value, ok := c.sysctl("net.netfilter.nf_conntrack_max")
	if !ok {
		return // connections are not tracked
	}
	// Each page is one connection to nginx and one from there to the router.
	if need := 2 * connections; value[0] < need {
		r.warn(KernelConntrack, setSysctl(fmt.Sprintf("net.netfilter.nf_conntrack_max=%d", 4*connections)),
			"nf_conntrack_max is %d, but the %d of limits.connections and those of nginx may need %d: beyond it the kernel drops packets", value[0], connections, need)
		return
	}
	r.ok(KernelConntrack, "nf_conntrack_max is %d", value[0])
}

// ports is about the ports from which nginx connects.
func (c *checker) ports(r *report, connections int) {
	const name = "net.ipv4.ip_local_port_range"
	value, ok := c.sysctl(name)
	if !ok || len(value) != 2 {
		return
	}
	if room := value[1] - value[0] + 1; room < connections {
		mend := setSysctl(name + "=1024 65535")
		if connections > mostPorts {
			mend = "have nginx reach the router by several addresses of this machine (upstream), or lower limits.connections"
		}
		r.warn(KernelPorts, mend, "%s has %d ports: nginx cannot open the %d connections of limits.connections to the router", name, room, connections)
		return
	}
	r.ok(KernelPorts, "%s has %d ports for connections of nginx to the router", name, value[1]-value[0]+1)
}

// setSysctl is the command that changes a setting of the kernel, now and at each boot.
func setSysctl(setting string) string {
	return fmt.Sprintf("echo '%s' >> /etc/sysctl.d/90-strowger.conf && sysctl --system", setting)
}

// sysctl returns the numbers that a setting of the kernel has.
func (c *checker) sysctl(name string) ([]int, bool) {
	data, err := os.ReadFile(c.Machine.proc("sys/" + strings.ReplaceAll(name, ".", "/")))
	if err != nil {
		return nil, false
	}
	var values []int
	for field := range strings.FieldsSeq(string(data)) {
		value, err := strconv.Atoi(field)
		if err != nil {
			return nil, false
		}
		values = append(values, value)
	}
	return values, len(values) > 0
}
