package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// loadSettings loads a config.conf, a YAML file and default settings.
func loadSettings(t *testing.T, conf, yaml string, list Settings, problem error) (*Config, error) {
	t.Helper()
	o := Options{FusionPBX: writeFile(t, "config.conf", conf+"document.root = /var/www/fusionpbx\n"), Settings: func(*Config) (Settings, error) { return list, problem }}
	if yaml != "" {
		o.File = writeFile(t, "strowger.yaml", yaml)
	}
	return Load(o)
}

func bind(host, port string) Settings {
	var list Settings
	if host != "" {
		list = append(list, Setting{"websocket_server", "bind_ip_address", "text", host})
	}
	if port != "" {
		list = append(list, Setting{"websocket_server", "bind_port", "numeric", port})
	}
	return list
}

// The default settings stand between config.conf and the YAML file.
func TestSettingsPrecedence(t *testing.T) {
	for name, c := range map[string]struct {
		conf, yaml   string
		settings     Settings
		want, origin string
	}{
		"neither":                {"", "", nil, "127.0.0.1:8080", "default"},
		"config.conf":            {"websocket.port = 81\n", "", nil, "127.0.0.1:81", "config.conf:1"},
		"settings":               {"", "", bind("0.0.0.0", "82"), "0.0.0.0:82", "v_default_settings websocket_server/bind_ip_address, websocket_server/bind_port"},
		"settings over file":     {"websocket.host = 192.0.2.1\nwebsocket.port = 81\n", "", bind("192.0.2.2", "82"), "192.0.2.2:82", "v_default_settings websocket_server/bind_ip_address"},
		"port alone":             {"websocket.host = 192.0.2.1\n", "", bind("", "82"), "192.0.2.1:82", "v_default_settings websocket_server/bind_port"},
		"host alone":             {"websocket.port = 81\n", "", bind("::1", ""), "[::1]:81", "v_default_settings websocket_server/bind_ip_address"},
		"host in brackets":       {"", "", bind("[::1]", "82"), "[::1]:82", "v_default_settings"},
		"YAML over settings":     {"websocket.port = 81\n", "listen: {address: '127.0.0.1:83'}\n", bind("0.0.0.0", "82"), "127.0.0.1:83", "strowger.yaml:1"},
		"the later of two":       {"", "", append(bind("", "82"), bind("", "84")...), "127.0.0.1:84", "v_default_settings"},
		"wrong port":             {"websocket.port = 81\n", "", bind("", "99999"), "127.0.0.1:81", "config.conf:1"},
		"port 0":                 {"websocket.port = 81\n", "", bind("", "0"), "127.0.0.1:81", "config.conf:1"},
		"port with a line break": {"", "", bind("", "82\n83"), "127.0.0.1:8080", "default"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := loadSettings(t, c.conf, c.yaml, c.settings, nil)
			if err != nil {
				t.Fatal(err)
			}
			if origin := cfg.Origin("listen.address"); cfg.Listen.Address != c.want || !strings.Contains(origin, c.origin) {
				t.Errorf("address is %s from %s, want %s from %s", cfg.Listen.Address, origin, c.want, c.origin)
			}
			if wrong := strings.Contains(name, "wrong") || strings.Contains(name, "port 0") || strings.Contains(name, "break"); wrong != (len(cfg.Warnings) == 1) {
				t.Errorf("warnings: %v", cfg.Warnings)
			}
		})
	}
}

func TestSettingsOfTheDashboard(t *testing.T) {
	list := Settings{
		{"system", "cpu_status_refresh_interval", "text", "7"},
		{"system", "network_status_refresh_interval", "numeric", "0"}, // FusionPBX takes it for 1
		{"system", "network_interface", "text", "eth1"},
	}
	cfg, err := loadSettings(t, "", "", list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cfg.Dashboard; d.CPUInterval != 7*time.Second || d.NetworkInterval != time.Second || d.NetworkInterface != "eth1" {
		t.Errorf("dashboard is %+v", d)
	}
	cfg, err = loadSettings(t, "", "dashboard: {cpu_interval: 9s}\n", list, nil)
	if err != nil || cfg.Dashboard.CPUInterval != 9*time.Second || cfg.Origin("dashboard.cpu_interval") != cfg.origins["dashboard.cpu_interval"].String() {
		t.Errorf("dashboard is %+v, %v: the YAML file counts more", cfg.Dashboard, err)
	}
	for name, value := range map[string]string{"word": "often", "too long": "86400", "beyond all bounds": "99999999999999999999"} {
		cfg, err := loadSettings(t, "", "", Settings{{"system", "cpu_status_refresh_interval", "text", value}}, nil)
		if err != nil || cfg.Dashboard.CPUInterval != 3*time.Second || len(cfg.Warnings) != 1 {
			t.Errorf("%s: interval is %v, warnings %v, error %v", name, cfg.Dashboard.CPUInterval, cfg.Warnings, err)
		}
	}
}

func TestSettingsAreReadLast(t *testing.T) {
	asked := false
	ask := func(cfg *Config) (Settings, error) {
		asked = true
		if cfg.Database.Timeout != 5*time.Second || cfg.FusionPBX.Database.Name != "pbx" {
			t.Errorf("asked with %+v, %+v", cfg.Database, cfg.FusionPBX.Database)
		}
		return nil, nil
	}
	conf, file := writeFile(t, "config.conf", "database.0.name = pbx\n"), writeFile(t, "strowger.yaml", "database: {timeout: 5s}\n")
	if _, err := Load(Options{FusionPBX: conf, File: file, Settings: ask}); err != nil || !asked {
		t.Errorf("error %v, asked %v", err, asked)
	}
	asked = false
	if _, err := Load(Options{FusionPBX: conf, File: file, Settings: ask, Environ: []string{"STROWGER_LIMITS__DEPTH=x"}}); err == nil || asked {
		t.Errorf("with a wrong value: error %v, asked %v", err, asked)
	}
	if _, err := Load(Options{File: file, Settings: ask}); err != nil || asked {
		t.Errorf("without config.conf: error %v, asked %v", err, asked)
	}
}

// What show prints loads as what it was printed of, and no password is in it.
func TestShow(t *testing.T) {
	conf := "websocket.port = 81\ndatabase.0.type = pgsql\ndatabase.0.password = hunter2\nswitch.event_socket.password = hunter3\n"
	list := append(bind("192.0.2.1", ""),
		Setting{"operator_panel", "note", "text", "two\nlines: # \u2028x"}, Setting{"system", "api_key", "text", "hunter4"}, Setting{"system", "cpu_status_refresh_interval", "text", "x"})
	cfg, err := loadSettings(t, conf, "limits: {depth: 9}\n", list, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Show(&out, cfg); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		`  address: "192.0.2.1:81"  # v_default_settings websocket_server/bind_ip_address`, "  depth: 9  # ", "strowger.yaml:1\n",
		"  connections: 19000  # default\n", "#   database.0.password = [redacted]\n", "#   operator_panel/note = two lines: #  x\n",
		"#   system/api_key = [redacted]\n", "# not used: v_default_settings: system/cpu_status_refresh_interval: x is no number of seconds\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not in the output: %s", want)
		}
	}
	if strings.Contains(text, "hunter") {
		t.Error("a password shows")
	}
	again := mustLoadYAML(t, text)
	again.FusionPBX, again.Settings, again.Warnings = cfg.FusionPBX, cfg.Settings, cfg.Warnings
	wantEqual(t, again, cfg)
	if t.Failed() {
		t.Log(text)
	}
}

func TestShowSaysWhyThereAreNoSettings(t *testing.T) {
	cfg, err := loadSettings(t, "", "", nil, errors.New("the database is away"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Show(&out, cfg); err != nil || !strings.Contains(out.String(), "# v_default_settings: the database is away\n") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// TestChosen wants each value that is no default with its place, and no other.
func TestChosen(t *testing.T) {
	cfg := mustLoadYAML(t, "listen: {origins: [a.example.com]}\nlimits: {depth: 9}\n")
	chosen := cfg.Chosen()
	if len(chosen) != 2 || chosen[0].Key != "listen.origins" || chosen[1].Key != "limits.depth" || chosen[1].Text != "9" ||
		!strings.HasSuffix(chosen[1].Origin, ".yaml:2") {
		t.Errorf("chosen are %+v", chosen)
	}
	if chosen := Default().Chosen(); len(chosen) > 0 {
		t.Errorf("of the defaults %+v are chosen", chosen)
	}
}
