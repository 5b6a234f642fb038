package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFusionPBXFile(t *testing.T) {
	path := filepath.Join(testdata, "good_fusionpbx.conf")
	cfg, err := Load(Options{FusionPBX: path})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen.Address = "127.0.0.1:8085"
	want.Tokens.Reclaim = 5 * time.Minute
	want.FusionPBX = FusionPBX{
		File:        path,
		EventSocket: EventSocket{Host: "10.0.0.5", Port: 8022, Password: "s3cret"},
		Database: Database{
			Type: "pgsql", Host: "127.0.0.1", Port: 5432, Name: "fusionpbx",
			Username: "fusionpbx", Password: `c;r"e#t\$`, SSLMode: "prefer",
		},
		DocumentRoot: "/srv/fusionpbx",
	}
	wantEqual(t, cfg, want)
}

func TestFusionPBXValues(t *testing.T) {
	tests := []struct {
		name, text string
		change     func(cfg *Config) // from the defaults
	}{
		{"nothing", "", func(*Config) {}},
		{"empty values", "websocket.host =\nwebsocket.port =\nswitch.event_socket.port =\ndocument.root = \"\"\n", func(*Config) {}},
		{"host alone", "websocket.host = 10.1.1.1\n", func(cfg *Config) { cfg.Listen.Address = "10.1.1.1:8080" }},
		{"port alone", "websocket.port = 81\n", func(cfg *Config) { cfg.Listen.Address = "127.0.0.1:81" }},
		{"name", "websocket.host = localhost\n", func(cfg *Config) { cfg.Listen.Address = "localhost:8080" }},
		{"IPv6", "websocket.host = ::1\n", func(cfg *Config) { cfg.Listen.Address = "[::1]:8080" }},
		{"IPv6 in brackets", "websocket.host = [::1]\n", func(cfg *Config) { cfg.Listen.Address = "[::1]:8080" }},
		{"fallback names", "event_socket.ip_address = h\nevent_socket.port = 1\nevent_socket.password = p\n",
			func(cfg *Config) { cfg.FusionPBX.EventSocket = EventSocket{"h", 1, "p"} }},
		{"fallback for an empty value", "switch.event_socket.host =\nevent_socket.ip_address = h\n",
			func(cfg *Config) { cfg.FusionPBX.EventSocket.Host = "h" }},
		{"both names", "event_socket.port = 1\nswitch.event_socket.port = 2\n",
			func(cfg *Config) { cfg.FusionPBX.EventSocket.Port = 2 }},
		{"odd value nobody reads", "error.reporting = E_ALL ^ E_NOTICE\ncache.x = (a ; it's\n", func(*Config) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLoader()
			l.readINI("config.conf", []byte(test.text))
			cfg, err := l.config()
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			want.FusionPBX.File = "config.conf"
			test.change(want)
			wantEqual(t, cfg, want)
		})
	}
}

func TestFusionPBXThatIsWrong(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"syntax", "document.root = 1\nb = \"\n", []string{"config.conf:2: quote is never closed"}},
		{"port", "\nwebsocket.port = http\n", []string{"config.conf:2: websocket.port: http is not a port number from 1 to 65535"}},
		{"port zero", "websocket.port = 0\n", []string{"config.conf:1: websocket.port: 0 is not a port number from 1 to 65535"}},
		{"host", "websocket.port = 80\nwebsocket.host = a b\n", []string{`config.conf:2: listen.address: "a b" is neither a host name nor an IP address`}},
		{"host with a meaning", "websocket.host = \"${HOST}\"\n", []string{"config.conf:1: websocket.host: has ${, which stands for a variable; that is not supported"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLoader()
			l.readINI("config.conf", []byte(test.text))
			_, err := l.config()
			wantError(t, err, test.want...)
		})
	}
}

// A value that the router itself does not need is a warning, and its field has the default.
func TestFusionPBXWarnings(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"several", "database.0.port = 99999\nevent_socket.password = a&b\ndocument.root = \"a\nb\"\n", []string{
			"config.conf:2: event_socket.password: has & outside of quotes, put the whole value in double quotes",
			"config.conf:1: database.0.port: 99999 is not a port number from 1 to 65535",
			"config.conf:3: document.root: has control characters"}},
		{"not UTF-8", "document.root = /srv/T\xe9l\xe9phonie\n", []string{"config.conf:1: document.root: is not UTF-8"}},
		{"two database hosts", "database.0.host = \"a,b\"\ndatabase.0.port = \"5432,5432\"\n", []string{
			"config.conf:2: database.0.port: 5432,5432 is not a port number from 1 to 65535"}},
		{"password", "database.0.password = Pass&word\n", []string{
			"config.conf:1: database.0.password: has & outside of quotes, put the whole value in double quotes"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLoader()
			l.readINI("config.conf", []byte(test.text+"websocket.port = 22010\n"))
			cfg, err := l.config()
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Listen.Address != "127.0.0.1:22010" {
				t.Errorf("listen.address is %s", cfg.Listen.Address)
			}
			var got []string
			for _, w := range cfg.Warnings {
				got = append(got, w.Error())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got warnings %q, want %q", got, test.want)
			}
		})
	}
}

// Another file than FusionPBX's is an error or a warning that names the flag and what it takes.
func TestFusionPBXFileOfAnotherKind(t *testing.T) {
	for name, text := range map[string]string{
		"empty":               "",
		"blank":               "\n\n \n",
		"comments":            "# database.0.host = x\n; more\n",
		"page":                "<!DOCTYPE html><html><body>Welcome</body></html>\n",
		"page with arguments": "<a href=x?y=1&z=2>\n",
		"own settings":        "listen:\n  address: 127.0.0.1:8081\npolicies: {}\n",
		"own policies":        "policies:\n  'a b': {scopes: [{to: all}]}\n",
		"JSON":                `{"listen":{"address":"x"}}`,
		"comment, then PHP":   "// settings\n<?php\n$dbhost=\"x\";\n",
		"long comment":        "/* it's ours */\n$db_host = 'x';\n",
		"certificate":         "-----BEGIN CERTIFICATE-----\nMIIB\n",
		"another program's":   "[client]\nhost = x\nport = 1\n",
		"binary":              "\x7fELF\x00\x00",
		"too large":           strings.Repeat("x", 2<<20),
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Load(Options{FusionPBX: writeFile(t, "config.conf", text)})
			said := ""
			if err != nil {
				said = err.Error()
			} else {
				for _, w := range cfg.Warnings {
					said += w.Error() + "\n"
				}
			}
			if !strings.Contains(said, wantsConfigConf) {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// The config.php of older FusionPBX, or any other program, is not read as settings.
func TestFusionPBXFileThatIsAProgram(t *testing.T) {
	for _, text := range []string{"<?php\n$db_type = 'pgsql';\n", "\ufeff\n <?php", "<? $a = 1;", "#!/usr/bin/php\n<?php"} {
		_, err := Load(Options{FusionPBX: writeFile(t, "config.php", text)})
		if err == nil || !strings.Contains(err.Error(), "is a PHP program, not FusionPBX's config.conf; --fusionpbx takes FusionPBX's config.conf") {
			t.Errorf("%q: error is %v", text, err)
		}
	}
}

func TestFindFusionPBX(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for _, path := range []string{first, second} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name       string
		candidates []string
		want       string
	}{
		{"first", []string{first, second}, first},
		{"second", []string{missing, second}, second},
		{"none", []string{missing}, ""},
		{"directory", []string{dir, second}, second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := FindFusionPBX(test.candidates...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
