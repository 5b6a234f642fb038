package check

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/errno"
)

// pages is what answers at admin.address.
type pages struct {
	holders  holders
	err      error // nobody answered
	ours     bool  // a strowger did
	ready    bool
	problems []problem
}

// problem is what /readyz says of a part that does not work.
type problem struct {
	Part   string `json:"part"`
	Reason string `json:"reason"`
}

// askPages asks the admin pages whether the router is ready.
func (c *checker) askPages() pages {
	address := c.Config.Admin.Address
	if address == "" {
		return pages{err: errors.New("admin.address is empty")}
	}
	p := pages{holders: c.holders(address)}
	body, err := c.ask("/readyz")
	if err != nil {
		p.err = err
		return p
	}
	var said struct {
		Ready    *bool     `json:"ready"`
		Problems []problem `json:"problems"`
	}
	if json.Unmarshal(body, &said) == nil && said.Ready != nil {
		p.ours, p.ready, p.problems = true, *said.Ready, said.Problems
	}
	return p
}

// ask asks the admin pages for one of them.
func (c *checker) ask(path string) ([]byte, error) {
	ctx, cancel := c.deadline()
	defer cancel()
	at, err := adminpages.Of(&c.Config.Admin)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what failed
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL(path), nil)
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	transport := at.Transport()
	transport.DialContext = c.Machine.Dial
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	defer response.Body.Close()
	const largest = 1 << 20
	return io.ReadAll(io.LimitReader(response.Body, largest)) //nolint:wrapcheck // as above
}

// askFor asks the admin pages for one of them and reads its JSON into v.
func (c *checker) askFor(path string, v any) error {
	body, err := c.ask(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v) //nolint:wrapcheck // it says what failed
}

// adminPages tells whether a router answers, and what it lacks.
func (c *checker) adminPages(r *report) {
	address, p := c.Config.Admin.Address, c.pages()
	running, processes := c.listen().taken, c.listen().processes
	switch {
	case address == "":
		r.note(AdminPages, "", "admin.address is empty (from %s): a running router cannot be asked", c.Config.Origin("admin.address"))
	case p.ours:
		r.ok(AdminPages, "a strowger answers at %s", address)
		c.ready(r, p)
	case p.err == nil:
		c.otherPages(r, p)
	case errors.Is(p.err, errno.Refused) && len(processes) > 0 && !processes[0].strowger():
		r.note(AdminPages, "see "+string(ListenPort), "nobody listens at %s: another program has the port of the router", address)
	case errors.Is(p.err, errno.Refused) && running:
		r.warn(AdminPages, c.restartRouter(), "nobody listens at %s although listen.address is taken: if a strowger has that, it runs without its admin pages, or with another admin.address", address)
	case errors.Is(p.err, errno.Refused):
		r.note(AdminPages, c.start(), "nobody listens at %s: no router can be asked whether it is ready", address)
	case late(p.err):
		r.fail(AdminPages, c.restart(p), "%s gave no answer within %v (--timeout)", address, c.Timeout)
	default:
		r.fail(AdminPages, c.restart(p), "%s gave no answer: %v", address, p.err)
	}
}

// restart is for admin pages that hang.
func (c *checker) restart(p pages) string {
	if len(p.holders.processes) > 0 && !p.holders.processes[0].strowger() {
		return c.evict(p.holders.processes[0])
	}
	return c.restartRouter()
}

// otherPages is about a program at admin.address that is no router.
func (c *checker) otherPages(r *report, p pages) {
	address := c.Config.Admin.Address
	who, mend := "another program", "set admin.address to another address, then: systemctl restart websockets"
	if len(p.holders.processes) > 0 {
		who = p.holders.processes[0].String()
	} else if !c.Machine.root() {
		who += " (only root can see which)"
	}
	if c.Config.AdminGivesWay() {
		r.warn(AdminPages, mend, "%s is taken by %s, so the router runs without its admin pages", address, who)
		return
	}
	r.fail(AdminPages, mend, "%s is taken by %s, so the router's admin pages cannot be reached", address, who)
}

// ready passes on what /readyz says.
func (c *checker) ready(r *report, p pages) {
	if p.ready {
		r.ok(RouterReady, "the router accepts connections and can claim tokens")
		return
	}
	ask := "curl http://" + adminpages.Local(c.Config.Admin.Address) + "/readyz"
	if c.Config.Admin.TLSCertificate != "" {
		ask = "curl --insecure https://" + adminpages.Local(c.Config.Admin.Address) + "/readyz"
	}
	for _, problem := range p.problems {
		mend := ask
		switch problem.Part {
		case "tokens":
			mend = "see " + string(TokensDirectory)
		case "connections":
			mend = "raise limits.connections and LimitNOFILE, see " + string(Descriptors)
		}
		r.fail(RouterReady, mend, "the router is not ready: %s: %s", problem.Part, problem.Reason)
	}
	if len(p.problems) == 0 {
		r.fail(RouterReady, ask, "the router is not ready and does not say why")
	}
}
