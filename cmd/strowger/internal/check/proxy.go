package check

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"strowger/cmd/strowger/internal/adminpages"
	"strowger/cmd/strowger/internal/check/nginx"
)

// reload is what follows a change of nginx's files.
const reload = ", then: nginx -t && systemctl reload nginx"

// proxies are nginx's locations, told apart by where they lead.
type proxies struct {
	err      error
	files    int
	problems []error
	ours     []nginx.Proxy // to the router
	stray    []nginx.Proxy // of /websockets, but to somewhere else
}

// sort finds the locations that lead to listen.address.
func (c *checker) sort(read *nginx.Config) proxies {
	p := proxies{files: read.Files, problems: read.Problems}
	for _, proxy := range read.Proxies() {
		switch {
		case slices.ContainsFunc(proxy.Addresses, c.leadsHere):
			p.ours = append(p.ours, proxy)
		case strings.Contains(proxy.Location, "websocket"):
			p.stray = append(p.stray, proxy)
		}
	}
	return p
}

// leadsHere tells whether an address of nginx is that of the router.
func (c *checker) leadsHere(address string) bool {
	host, port, _ := net.SplitHostPort(c.Config.Listen.Address)
	to, toPort, err := net.SplitHostPort(address)
	if err != nil || toPort != port {
		return false
	}
	ip, ipErr := netip.ParseAddr(host)
	if host == "" || ipErr == nil && ip.IsUnspecified() {
		return true
	}
	return numeric(to) == numeric(host)
}

// numeric is the address that localhost has as a rule.
func numeric(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	return strings.ToLower(host)
}

// place names a location for people.
func place(p nginx.Proxy) string {
	return fmt.Sprintf("%s:%d (location %s of %s)", p.File, p.Line, p.Location, serverNames(p))
}

func serverNames(p nginx.Proxy) string {
	if len(p.Names) == 0 {
		return "a server without server_name"
	}
	return strings.Join(p.Names, ", ")
}

// proxy is about nginx.
func (c *checker) proxy(r *report) {
	p := c.nginx()
	if errors.Is(p.err, fs.ErrNotExist) {
		r.note(NginxFiles, "", "there is no /etc/nginx on this machine: another proxy, or browsers that connect to the router itself, are not looked at")
		return
	}
	if p.err != nil {
		p.problems = append(p.problems, p.err)
	}
	for _, problem := range p.problems {
		switch {
		case denied(problem) && !c.Machine.root():
			r.note(NginxFiles, c.asRoot(), "this user may not read a file of nginx: %v", problem)
		default:
			r.warn(NginxFiles, "nginx -t", "a file of nginx is not understood: %v", problem)
		}
	}
	if len(p.problems) == 0 {
		r.ok(NginxFiles, "%d files of nginx are read", p.files)
	}
	c.strays(r, p)
	for _, one := range p.ours {
		c.location(r, one)
	}
}

// strays is about locations that lead elsewhere, and about none at all.
func (c *checker) strays(r *report, p proxies) {
	to := "http://" + adminpages.Local(c.Config.Listen.Address)
	if c.Config.Listen.TLSCertificate != "" {
		to = "https://" + adminpages.Local(c.Config.Listen.Address)
	}
	for _, stray := range p.stray {
		mend := fmt.Sprintf("write `proxy_pass %s;` at %s:%d", to, stray.File, stray.Line) + reload
		if len(p.ours) > 0 {
			r.warn(NginxProxy, mend, "%s leads to %s, another location leads to the router at %s", place(stray), strings.Join(stray.Addresses, ", "), c.Config.Listen.Address)
			continue
		}
		r.fail(NginxProxy, mend, "%s leads to %s, but the router listens at %s", place(stray), strings.Join(stray.Addresses, ", "), c.Config.Listen.Address)
	}
	if len(p.ours)+len(p.stray) > 0 {
		return
	}
	const mend = "add the block of docs/deploy.md, section 5, to the server of your pages" + reload
	if len(p.problems) > 0 {
		r.note(NginxProxy, mend, "no location leads to the router at %s in the files that could be read", c.Config.Listen.Address)
		return
	}
	r.warn(NginxProxy, mend, "no location of nginx leads to the router at %s: no page reaches it through nginx", c.Config.Listen.Address)
}

// location is about one that leads to the router.
func (c *checker) location(r *report, p nginx.Proxy) {
	scheme := "http"
	if c.Config.Listen.TLSCertificate != "" {
		scheme = "https"
	}
	if p.Scheme != scheme {
		r.fail(NginxProxy, fmt.Sprintf("write `proxy_pass %s://%s;` at %s:%d", scheme, adminpages.Local(c.Config.Listen.Address), p.File, p.Line)+reload,
			"%s speaks %s, but the router speaks %s (listen.tls_certificate)", place(p), p.Scheme, scheme)
	} else {
		r.ok(NginxProxy, "%s leads to the router at %s", place(p), c.Config.Listen.Address)
	}
	c.upgrade(r, p)
	c.hostHeader(r, p)
	c.forwarded(r, p)
	c.readTimeout(r, p)
}

// add says which line to add beside proxy_pass.
func add(p nginx.Proxy, lines ...string) string {
	return fmt.Sprintf("add `%s` at %s:%d", strings.Join(lines, " "), p.File, p.Line) + reload
}

// upgrade is about what WebSockets need.
func (c *checker) upgrade(r *report, p nginx.Proxy) {
	var lines, missing []string
	if p.HTTPVersion != "1.1" {
		lines, missing = append(lines, "proxy_http_version 1.1;"), append(missing, "proxy_http_version is not 1.1")
	}
	if value := strings.ToLower(p.Headers["upgrade"]); value != "$http_upgrade" && value != "${http_upgrade}" && value != "websocket" {
		lines, missing = append(lines, "proxy_set_header Upgrade $http_upgrade;"), append(missing, "Upgrade is not passed on")
	}
	if value := strings.ToLower(p.Headers["connection"]); !strings.Contains(value, "upgrade") && !strings.HasPrefix(value, "$") {
		lines, missing = append(lines, `proxy_set_header Connection "upgrade";`), append(missing, "Connection is not upgrade")
	}
	if len(missing) > 0 {
		r.fail(NginxUpgrade, add(p, lines...), "%s lets no WebSocket through: %s", place(p), strings.Join(missing, ", "))
		return
	}
	r.ok(NginxUpgrade, "%s lets WebSockets through", place(p))
}

// passesHost tells whether the router learns the name that the browser asked for.
func passesHost(p nginx.Proxy) bool {
	host := strings.NewReplacer("{", "", "}", "").Replace(strings.ToLower(p.Headers["host"]))
	return slices.Contains([]string{"$host", "$http_host", "$server_name"}, strings.TrimSuffix(host, ":$server_port"))
}

// hostHeader is about the name of the host.
func (c *checker) hostHeader(r *report, p nginx.Proxy) {
	if passesHost(p) {
		r.ok(NginxHost, "%s passes on the host that the browser asked for (%s)", place(p), p.Headers["host"])
		return
	}
	r.warn(NginxHost, add(p, "proxy_set_header Host $host;"), "%s tells the router the host %s, not the one that the browser asked for; see %s for which pages that keeps out", place(p), sentHost(p), OriginHosts)
}

// sentHost returns the host that the router gets.
func sentHost(p nginx.Proxy) string {
	if host := p.Headers["host"]; host != "" {
		return host
	}
	return p.Addresses[0]
}

// forwarded is about the address of the browser.
func (c *checker) forwarded(r *report, p nginx.Proxy) {
	header := p.Headers["x-forwarded-for"]
	trusted := c.trustsProxy(p)
	writes := header == "$remote_addr" || header == "$proxy_add_x_forwarded_for" || header == "${remote_addr}"
	switch {
	case trusted && header == "":
		r.warn(NginxForwarded, add(p, "proxy_set_header X-Forwarded-For $remote_addr;"),
			"listen.trusted_proxies trusts nginx, but %s does not write X-Forwarded-For: a browser may invent the address in the log", place(p))
	case trusted && !writes:
		r.note(NginxForwarded, "", "%s sends X-Forwarded-For %q, which this check does not know", place(p), header)
	case trusted:
		r.ok(NginxForwarded, "%s writes X-Forwarded-For, and listen.trusted_proxies trusts it", place(p))
	case header != "":
		r.note(NginxForwarded, "set listen.trusted_proxies: ["+strings.Join(proxyAddresses(c.Config.Listen.Address), ", ")+"], then: systemctl restart websockets",
			"%s writes X-Forwarded-For, but listen.trusted_proxies does not trust it: the log shows nginx's address in place of the browser's", place(p))
	default:
		r.note(NginxForwarded, "see docs/deploy.md, section 5, if the log is to show the address of the browser", "%s does not pass on the address of the browser: the log shows nginx's", place(p))
	}
}

// proxyAddresses are those from which an nginx of this machine connects.
func proxyAddresses(listen string) []string {
	host, _, _ := net.SplitHostPort(adminpages.Local(listen))
	return []string{numeric(host)}
}

// trustsProxy tells whether the router believes an nginx of this machine.
func (c *checker) trustsProxy(p nginx.Proxy) bool {
	host, _, _ := net.SplitHostPort(p.Addresses[0])
	ip, err := netip.ParseAddr(numeric(host))
	if err != nil {
		return len(c.Config.Listen.TrustedProxies) > 0
	}
	return slices.ContainsFunc(c.Config.Listen.TrustedProxies, func(text string) bool {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			return prefix.Contains(ip)
		}
		one, err := netip.ParseAddr(text)
		return err == nil && one == ip
	})
}

// readTimeout is about quiet connections.
func (c *checker) readTimeout(r *report, p nginx.Proxy) {
	ping := c.Config.Keepalive.PingInterval
	switch {
	case !p.Known:
		r.note(NginxTimeout, "", "%s has a proxy_read_timeout that this check does not understand", place(p))
	case ping == 0:
		r.warn(NginxTimeout, "set keepalive.ping_interval: 25s, then: systemctl reload websockets", "keepalive.ping_interval is 0, so that %s cuts off a quiet page after %v", place(p), p.ReadTimeout)
	case ping >= p.ReadTimeout:
		r.fail(NginxTimeout, add(p, fmt.Sprintf("proxy_read_timeout %ds;", int((2*ping)/time.Second))),
			"%s cuts off a quiet page after %v, before the router pings it (keepalive.ping_interval, %v)", place(p), p.ReadTimeout, ping)
	default:
		r.ok(NginxTimeout, "%s waits %v, and the router pings pages each %v", place(p), p.ReadTimeout, ping)
	}
}
