package check

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// socket is one that listens.
type socket struct {
	addr  netip.AddrPort
	uid   int
	inode string
}

// sockets are all TCP sockets that listen. They are not known on systems without /proc/net.
type sockets struct {
	known bool
	all   []socket
}

func (c *checker) readSockets() sockets {
	var s sockets
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		data, err := os.ReadFile(c.Machine.proc(name))
		if err != nil {
			continue
		}
		s.known = true
		for line := range strings.Lines(string(data)) {
			if found, ok := parseSocket(line); ok {
				s.all = append(s.all, found)
			}
		}
	}
	return s
}

// parseSocket reads a line of /proc/net/tcp about a socket that listens.
func parseSocket(line string) (socket, bool) {
	const listening = "0A"
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listening {
		return socket{}, false
	}
	host, port, _ := strings.Cut(fields[1], ":")
	raw, err := hex.DecodeString(host)
	number, portErr := strconv.ParseUint(port, 16, 16)
	uid, uidErr := strconv.Atoi(fields[7])
	if errors.Join(err, portErr, uidErr) != nil || len(raw)%4 != 0 {
		return socket{}, false
	}
	// The kernel prints each 32 bits as a number of this machine.
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	return socket{netip.AddrPortFrom(ip.Unmap(), uint16(number)), uid, fields[9]}, ok
}

// holders says which processes have an address.
type holders struct {
	known     bool  // /proc could be asked
	err       error // the address cannot be one of this machine
	uid       int   // of the first socket
	taken     bool
	processes []process
}

// process is one that holds a socket.
type process struct {
	pid  int
	name string // its command line, or its short name
	unit string // of systemd, empty if none is known
}

// holders finds who listens where a router would.
func (c *checker) holders(address string) holders {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "0" {
		return holders{known: true, err: err}
	}
	number, _ := strconv.ParseUint(port, 10, 16)
	ips, err := c.resolve(host)
	if err != nil {
		return holders{known: true, err: err}
	}
	s := c.sockets()
	h := holders{known: s.known}
	var inodes []string
	for _, found := range s.all {
		conflict := func(ip netip.Addr) bool {
			return ip == found.addr.Addr() || ip.IsUnspecified() || found.addr.Addr().IsUnspecified()
		}
		if found.addr.Port() != uint16(number) || !slices.ContainsFunc(ips, conflict) {
			continue
		}
		if !h.taken {
			h.taken, h.uid = true, found.uid
		}
		inodes = append(inodes, found.inode)
	}
	if h.taken {
		h.processes = c.processes(inodes)
	}
	return h
}

// resolve returns the addresses of the host to listen on.
func (c *checker) resolve(host string) ([]netip.Addr, error) {
	if host == "" {
		return []netip.Addr{netip.IPv4Unspecified()}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ctx, cancel := c.deadline()
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	return ips, err
}

// processes returns those that have one of the sockets, as far as this user may see them.
func (c *checker) processes(inodes []string) []process {
	var found []process
	entries, _ := os.ReadDir(c.Machine.proc(""))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		dir := c.Machine.proc(entry.Name())
		files, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue
		}
		has := func(file fs.DirEntry) bool {
			target, _ := os.Readlink(filepath.Join(dir, "fd", file.Name()))
			inode, ok := strings.CutPrefix(target, "socket:[")
			return ok && slices.Contains(inodes, strings.TrimSuffix(inode, "]"))
		}
		if slices.ContainsFunc(files, has) {
			found = append(found, process{pid: pid, name: processName(dir), unit: processUnit(dir)})
		}
	}
	return found
}

// processName returns the command line of a process, shortened.
func processName(dir string) string {
	const most = 80
	line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	name := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	if name == "" {
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		name = strings.TrimSpace(string(comm))
	}
	if len(name) > most {
		name = name[:most] + "..."
	}
	return name
}

// processUnit returns the unit of systemd that started a process.
func processUnit(dir string) string {
	data, _ := os.ReadFile(filepath.Join(dir, "cgroup"))
	for line := range strings.Lines(string(data)) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), "/") {
			if unit, ok := strings.CutSuffix(part, ".service"); ok && !strings.HasPrefix(unit, "user@") {
				return unit
			}
		}
	}
	return ""
}
