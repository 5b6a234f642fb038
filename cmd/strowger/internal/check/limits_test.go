package check

import (
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	b := newBench(t, alone(t), "")
	b.o.Machine.Proc = ""
	b.o.Machine.Descriptors = func() int { return 1024 }
	b.write("proc/sys/net/core/somaxconn", "128\n")
	b.write("proc/sys/net/ipv4/tcp_max_syn_backlog", "4096\n")
	b.write("proc/sys/net/ipv4/ip_local_port_range", "50000\t60000\n")
	b.write("proc/sys/net/netfilter/nf_conntrack_max", "8192\n")
	f := b.check()
	f.want(Descriptors, Warning, "room for 928 connections", "ulimit -n 65536")
	f.want(KernelBacklog, Warning, "net.core.somaxconn=4096")
	f.want(KernelBacklog, OK, "tcp_max_syn_backlog is 4096")
	f.want(KernelPorts, Warning, "10001 ports", "1024 65535")
	f.want(KernelConntrack, Warning, "net.netfilter.nf_conntrack_max=76000")
	b.o.Config.Limits.Connections = 70_000
	b.check().want(Descriptors, Warning, "room for 928 connections", "ulimit -n 70096")
	b.o.Config.Limits.Connections = 100
	f = b.check()
	f.want(Descriptors, OK)
	f.want(KernelPorts, OK)
	f.want(KernelConntrack, OK)
}

// TestLimitOfTheProcess reads the limit of a router that runs.
func TestLimitOfTheProcess(t *testing.T) {
	b := newBench(t, "", "")
	file := b.write("limits", "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            4096                 65536                files     \n")
	if got := processLimit(file); got != 4096 {
		t.Errorf("the limit is %d", got)
	}
}

func TestClock(t *testing.T) {
	b := newBench(t, alone(t), "")
	f := b.check()
	f.want(ClockYear, OK)
	f.without(ClockSkew)
	b.o.Machine.Now = func() time.Time { return time.Unix(0, 0) }
	b.check().want(ClockYear, Error, "1970-01-01", "timedatectl set-ntp true")
}
