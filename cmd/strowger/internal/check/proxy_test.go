package check

import (
	"errors"
	"io/fs"
	"net"
	"strings"
	"testing"
)

const good = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;`

// site puts one server with a location into nginx's files.
func (b *bench) site(location string) {
	b.t.Helper()
	b.write("etc/nginx/sites-enabled/pbx", "server {\n listen 443 ssl;\n server_name pbx.example.com _;\n location /websockets/ {\n  "+
		strings.ReplaceAll(location, "ROUTER", b.o.Config.Listen.Address)+"\n }\n}\n")
}

func TestProxy(t *testing.T) {
	type want struct {
		name  Name
		state State
		text  string
	}
	for name, test := range map[string]struct {
		yaml     string
		location string
		want     []want
	}{
		"good": {"", "proxy_pass http://ROUTER; " + good, []want{
			{NginxProxy, OK, "/etc/nginx/sites-enabled/pbx:5"}, {NginxUpgrade, OK, ""}, {NginxHost, OK, ""}, {NginxTimeout, OK, "1m0s"},
			{OriginHosts, OK, "pbx.example.com"}, {NginxForwarded, Note, "shows nginx's"}}},
		"another port": {"", "proxy_pass http://127.0.0.1:9; " + good, []want{{NginxProxy, Error, "leads to 127.0.0.1:9"}}},
		"TLS":          {"", "proxy_pass https://ROUTER; " + good, []want{{NginxProxy, Error, "speaks https"}}},
		"no upgrade":   {"", "proxy_pass http://ROUTER; proxy_set_header Host $host;", []want{{NginxUpgrade, Error, "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"}}},
		"no host": {"", "proxy_pass http://ROUTER; " + strings.Replace(good, "Host", "X", 1), []want{
			{NginxHost, Warning, "proxy_set_header Host $host;"}, {OriginHosts, Error, "pages of pbx.example.com get 403"}}},
		"no host, listed": {"listen: {origins: [pbx.example.com]}", "proxy_pass http://ROUTER; " + strings.Replace(good, "Host", "X", 1), []want{{OriginHosts, OK, "has them"}}},
		"every origin":    {"listen: {origins: ['*']}", "proxy_pass http://ROUTER; " + good, []want{{OriginHosts, Warning, "any host"}}},
		"short timeout":   {"", "proxy_pass http://ROUTER; proxy_read_timeout 20s; " + good, []want{{NginxTimeout, Error, "proxy_read_timeout 50s;"}}},
		"no pings":        {"keepalive: {ping_interval: 0s}", "proxy_pass http://ROUTER; " + good, []want{{NginxTimeout, Warning, "ping_interval is 0"}}},
		"not trusted":     {"", "proxy_pass http://ROUTER; proxy_set_header X-Forwarded-For $remote_addr; " + good, []want{{NginxForwarded, Note, "set listen.trusted_proxies: [127.0.0.1]"}}},
		"trusted":         {"listen: {trusted_proxies: [127.0.0.0/8]}", "proxy_pass http://ROUTER; proxy_set_header X-Forwarded-For $remote_addr; " + good, []want{{NginxForwarded, OK, ""}}},
		"invented":        {"listen: {trusted_proxies: [127.0.0.1]}", "proxy_pass http://ROUTER; " + good, []want{{NginxForwarded, Warning, "may invent"}}},
		"broken":          {"", "proxy_pass http://ROUTER", []want{{NginxFiles, Warning, "nginx -t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, test.yaml, "")
			b.o.Config.Listen.Address, b.o.Config.Admin.Address = "127.0.0.1:8080", ""
			b.site(test.location)
			f := b.check()
			for _, w := range test.want {
				f.want(w.name, w.state, w.text)
			}
		})
	}
}

func TestProxyElsewhere(t *testing.T) {
	b := newBench(t, alone(t), "")
	b.o.Config.Listen.Address = "127.0.0.1:8080"
	f := b.check()
	f.want(NginxFiles, Note, "there is no /etc/nginx")
	f.want(OriginHosts, Note)
	b.write("etc/nginx/nginx.conf", "http { server { listen 80; } }")
	b.check().want(NginxProxy, Warning, "no location of nginx leads to the router")
	// The router's port, by another name of this machine.
	_, port, _ := net.SplitHostPort(b.o.Config.Listen.Address)
	b.write("etc/nginx/nginx.conf", "http { server { listen 80; location / { proxy_pass http://localhost:"+port+"; "+good+" } } }")
	b.check().want(NginxProxy, OK, "a server without server_name")
}

// TestProxyUnreadable is about files that only root may read.
func TestProxyUnreadable(t *testing.T) {
	b := newBench(t, alone(t), "")
	b.o.Machine.UID = 1000
	c := &checker{Options: b.o}
	c.nginx = func() proxies {
		return proxies{problems: []error{&fs.PathError{Op: "open", Path: "/etc/nginx/x", Err: fs.ErrPermission}, errors.New("other")}}
	}
	var r report
	c.proxy(&r)
	f := found{t, r}
	f.want(NginxFiles, Note, "may not read", "sudo strowger check")
	f.want(NginxFiles, Warning, "other")
	f.want(NginxProxy, Note, "in the files that could be read")
}
