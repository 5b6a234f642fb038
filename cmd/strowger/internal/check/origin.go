package check

import (
	"slices"
	"strings"

	"strowger/cmd/strowger/internal/check/nginx"
	"strowger/transport"
)

// origins is about the pages that may connect.
func (c *checker) origins(r *report) {
	allowed := c.Config.Listen.Origins
	if slices.Contains(allowed, "*") {
		r.warn(OriginHosts, "list the hosts of your pages in listen.origins in place of *, then: systemctl reload websockets",
			"listen.origins has *: a page of any host may connect with the token of whoever looks at it")
		return
	}
	p := c.nginx()
	if len(p.ours) == 0 {
		also := ""
		if len(allowed) > 0 {
			also = ", or one of listen.origins: " + strings.Join(allowed, ", ")
		}
		r.note(OriginHosts, "", "no location of nginx is known to lead here; a page may connect if its host is the one it connects to%s", also)
		return
	}
	for _, proxy := range p.ours {
		c.originsOf(r, proxy, allowed)
	}
}

// originsOf asks the router's own rule for pages of each name of a server.
func (c *checker) originsOf(r *report, p nginx.Proxy, allowed []string) {
	names := realNames(p.Names)
	if passesHost(p) {
		r.ok(OriginHosts, "pages of %s may connect, because nginx passes their host on", serverNames(p))
		return
	}
	if len(names) == 0 {
		r.fail(OriginHosts, add(p, "proxy_set_header Host $host;"), "%s does not pass the host on: pages get 403 unless listen.origins has their host", place(p))
		return
	}
	scheme := "http://"
	if p.TLS {
		scheme = "https://"
	}
	var refused []string
	for _, name := range names {
		if !transport.OriginAllowed(scheme+name, sentHost(p), allowed) {
			refused = append(refused, name)
		}
	}
	if len(refused) > 0 {
		r.fail(OriginHosts, add(p, "proxy_set_header Host $host;"), "pages of %s get 403: %s tells the router the host %s, and listen.origins does not have theirs",
			strings.Join(refused, ", "), place(p), sentHost(p))
		return
	}
	r.ok(OriginHosts, "pages of %s may connect: listen.origins has them", strings.Join(names, ", "))
}

// realNames leaves out those that stand for many names.
func realNames(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name == "" || name == "_" || strings.ContainsAny(name, "*~$") || strings.HasPrefix(name, ".")
	})
}
