package nginx

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// files writes a made-up root.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range all {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const site = `
# FusionPBX
upstream router { server 127.0.0.1:8080; server backup.example.com backup; }
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
	listen 443 ssl http2;
	server_name pbx.example.com "www.example.com";
	ssl_certificate /etc/ssl/pbx.crt; ssl_certificate_key /etc/ssl/pbx.key;
	if ($uri ~* "^.*provision.*\.{2}$") { rewrite "^/(.{3})/x;" /y; }
	proxy_set_header X-Outer 1;
	proxy_read_timeout 1h30m;
	location ~ \.php$ { fastcgi_pass unix:/run/php.sock; }
	location /websockets/ {
		proxy_pass http://router;
		proxy_http_version 1.1;
		proxy_set_header Upgrade $http_upgrade;
		proxy_set_header Connection "upgrade";
		proxy_set_header Host ${host};
	}
	location /other { proxy_pass https://[::1]/x; }
}
`

func TestProxies(t *testing.T) {
	root := files(t, map[string]string{
		"etc/nginx/nginx.conf":          "user www-data;\nhttp {\n include /etc/nginx/conf.d/*.conf;\n include sites-enabled/*;\n}\n",
		"etc/nginx/sites-enabled/pbx":   site,
		"etc/nginx/conf.d/ignored.conf": "gzip on;",
	})
	config, err := Read(root)
	if err != nil || len(config.Problems) > 0 || config.Files != 3 {
		t.Fatalf("%+v, %v", config, err)
	}
	all := config.Proxies()
	if len(all) != 2 {
		t.Fatalf("proxies are %+v", all)
	}
	p := all[0]
	if p.File != "/etc/nginx/sites-enabled/pbx" || p.Line != 14 || p.Location != "/websockets/" || !p.TLS || p.Scheme != "http" ||
		p.Certificate != "/etc/ssl/pbx.crt" || p.Key != "/etc/ssl/pbx.key" || p.HTTPVersion != "1.1" || p.ReadTimeout != 90*time.Minute || !p.Known ||
		!slices.Equal(p.Names, []string{"pbx.example.com", "www.example.com"}) ||
		!slices.Equal(p.Addresses, []string{"127.0.0.1:8080", "backup.example.com:80"}) {
		t.Errorf("proxy is %+v", p)
	}
	if h := p.Headers; len(h) != 3 || h["upgrade"] != "$http_upgrade" || h["connection"] != "upgrade" || h["host"] != "${host}" {
		t.Errorf("headers are %q", h)
	}
	if p := all[1]; p.Scheme != "https" || !slices.Equal(p.Addresses, []string{"[::1]:443"}) || p.Headers["x-outer"] != "1" || p.HTTPVersion != "" {
		t.Errorf("the other is %+v", p)
	}
}

func TestReadWithoutMainFile(t *testing.T) {
	root := files(t, map[string]string{"etc/nginx/sites-enabled/pbx": site})
	config, err := Read(root)
	if err != nil || len(config.Proxies()) != 2 {
		t.Errorf("%+v, %v", config, err)
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without nginx: %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	for name, text := range map[string]string{
		"open block":     "server {",
		"no end":         "server_name x",
		"extra brace":    "a b; }",
		"nothing before": "{ }",
		"itself":         "include /etc/nginx/nginx.conf;",
		"a missing file": "include /etc/nginx/none.conf;",
	} {
		t.Run(name, func(t *testing.T) {
			config, err := Read(files(t, map[string]string{"etc/nginx/nginx.conf": text}))
			if err != nil || len(config.Problems) == 0 {
				t.Errorf("%+v, %v", config, err)
			}
		})
	}
}

// TestManyIncludes has a file that includes itself twice, again and again.
func TestManyIncludes(t *testing.T) {
	const self = "include /etc/nginx/nginx.conf;"
	config, err := Read(files(t, map[string]string{"etc/nginx/nginx.conf": self + self}))
	if err != nil || len(config.Problems) != 1 {
		t.Errorf("%d problems, %v", len(config.Problems), err)
	}
}

// TestParsePrefixes wants an answer for each file that ends too early.
func TestParsePrefixes(t *testing.T) {
	for i := range site {
		if all, err := parse("x", site[:i]); err == nil {
			(&Config{directives: all}).Proxies()
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"60": time.Minute, "60s": time.Minute, "1h30m": 90 * time.Minute, "500ms": time.Second / 2, "1d": 24 * time.Hour,
	} {
		if got, ok := duration(text); !ok || got != want {
			t.Errorf("%s is %v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "$timeout", "s", "1x"} {
		if got, ok := duration(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(site)
	f.Fuzz(func(_ *testing.T, text string) {
		all, err := parse("x", text)
		if err == nil {
			(&Config{directives: all}).Proxies()
		}
	})
}
