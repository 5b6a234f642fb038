package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/errno"
)

// listenPort reports which process has the router's port.
func (c *checker) listenPort(r *report) {
	address := c.Config.Listen.Address
	h := c.listen()
	switch {
	case h.err != nil:
		r.fail(ListenPort, c.changeAddress(), "%s cannot be listened on: %v", address, h.err)
	case !h.known:
		c.dialPort(r)
	case !h.taken:
		c.freePort(r)
	default:
		c.takenPort(r, h)
	}
}

func (c *checker) changeAddress() string {
	return fmt.Sprintf("set listen.address (now from %s) to an address of this machine", c.Config.Origin("listen.address"))
}

// start is the command that starts a router.
func (c *checker) start() string {
	if u := c.units().router; u.ours() {
		return "systemctl start websockets"
	}
	return strings.TrimSpace("strowger serve " + c.Sources)
}

// freePort is about a port that nobody has. Whether this machine has the address is seen by another port of it, so that
// a router that starts at this moment finds its port free.
func (c *checker) freePort(r *report) {
	address := c.Config.Listen.Address
	host, port, _ := net.SplitHostPort(address)
	probe, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		r.fail(ListenPort, c.changeAddress(), "%s cannot be listened on: %v", address, err)
		return
	}
	_ = probe.Close()
	if port == "0" {
		r.note(ListenPort, "", "%s is any free port, so that no router can be looked for", address)
		return
	}
	r.warn(ListenPort, c.start(), "%s is free: no router runs here", address)
}

// takenPort tells a router from others.
func (c *checker) takenPort(r *report, h holders) {
	address := c.Config.Listen.Address
	pages := c.pages()
	switch {
	case len(h.processes) == 0 && pages.ours && pages.holders.uid == h.uid:
		r.ok(ListenPort, "%s is held by a process of user %s, and a strowger of that user answers at the admin pages (only root sees that it is the same process)", address, userName(h.uid))
	case len(h.processes) == 0:
		r.note(ListenPort, c.asRoot(), "%s is taken by a process of user %s; only root can see which process it is", address, userName(h.uid))
	case pages.ours && slices.ContainsFunc(pages.holders.processes, func(p process) bool { return p.pid == h.processes[0].pid }):
		r.ok(ListenPort, "%s is held by the running router: %s, user %s", address, h.processes[0], userName(h.uid))
	case h.processes[0].strowger():
		r.ok(ListenPort, "%s is held by a strowger, which has no admin pages at %q: %s, user %s", address, c.Config.Admin.Address, h.processes[0], userName(h.uid))
	default:
		r.fail(ListenPort, c.evict(h.processes[0]), "%s is taken by another program, so a router cannot start: %s, user %s", address, h.processes[0], userName(h.uid))
	}
}

// evict is the command that makes the port free.
func (c *checker) evict(p process) string {
	switch {
	case p.unit == "websockets":
		return goOver
	case p.unit != "":
		return "systemctl disable --now " + p.unit
	}
	return fmt.Sprintf("kill %d", p.pid)
}

// dialPort is for systems that do not say who listens.
func (c *checker) dialPort(r *report) {
	address := c.Config.Listen.Address
	ctx, cancel := c.deadline()
	defer cancel()
	conn, err := c.Machine.Dial(ctx, "tcp", adminpages.Local(address))
	switch {
	case errors.Is(err, errno.Refused):
		c.freePort(r)
	case err != nil:
		r.fail(ListenPort, c.changeAddress(), "%s does not answer: %v", address, err)
	case c.pages().ours:
		_ = conn.Close()
		r.ok(ListenPort, "somebody listens at %s, and a strowger answers at the admin pages; this system does not tell that it is the same process", address)
	default:
		_ = conn.Close()
		mend := "sockstat -l || lsof -nP -iTCP -sTCP:LISTEN"
		if c.Machine.Windows {
			mend = "netstat -ano -p TCP"
		}
		r.note(ListenPort, mend, "somebody listens at %s; this system does not tell who", address)
	}
}

// String returns the process for people.
func (p process) String() string {
	text := fmt.Sprintf("%s (pid %d)", p.name, p.pid)
	if p.unit != "" {
		text += ", unit " + p.unit
	}
	return text
}

// strowger reports whether the process has the router's name: strowger, or strowger-NAME as FusionPBX's unit has it.
func (p process) strowger() bool {
	program, _, _ := strings.Cut(p.name, " ")
	name := program[strings.LastIndexByte(program, '/')+1:]
	return name == "strowger" || strings.HasPrefix(name, "strowger-")
}

// late tells whether an error is that of a deadline.
func late(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
