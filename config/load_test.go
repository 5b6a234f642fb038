package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestLaterSourcesOverride(t *testing.T) {
	fusionPBX := writeFile(t, "config.conf", "websocket.port = 1001\n")
	file := writeFile(t, "test.yaml", `listen: {address: "127.0.0.1:1002"}`)
	environ := []string{"STROWGER_LISTEN__ADDRESS=127.0.0.1:1003"}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("listen", "127.0.0.1:9999", "")
	if err := flags.Parse([]string{"--listen", "127.0.0.1:1004"}); err != nil {
		t.Fatal(err)
	}
	flagKeys := map[string]string{"listen": "listen.address"}

	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"defaults", Options{}, "127.0.0.1:8080"},
		{"fusionpbx", Options{FusionPBX: fusionPBX}, "127.0.0.1:1001"},
		{"file", Options{FusionPBX: fusionPBX, File: file}, "127.0.0.1:1002"},
		{"environment", Options{FusionPBX: fusionPBX, File: file, Environ: environ}, "127.0.0.1:1003"},
		{"flags", Options{fusionPBX, file, environ, nil, flags, flagKeys, nil}, "127.0.0.1:1004"},
		{"environment over fusionpbx", Options{FusionPBX: fusionPBX, Environ: environ}, "127.0.0.1:1003"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := Load(test.opts)
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			want.Listen.Address = test.want
			want.FusionPBX.File = test.opts.FusionPBX
			if test.opts.FusionPBX != "" {
				want.Tokens.Reclaim = 5 * time.Minute
			}
			wantEqual(t, cfg, want)
		})
	}
}

func TestSourcesAreMergedByKey(t *testing.T) {
	cfg, err := Load(Options{
		File:    writeFile(t, "test.yaml", "limits: {depth: 100, client_bytes: 2MiB}\nlisten: {origins: [a.example, b.example]}"),
		Environ: []string{"STROWGER_LIMITS__DEPTH=200", "STROWGER_LISTEN__ORIGINS=c.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Limits.Depth = 200
	want.Limits.ClientBytes = 2 * MiB
	want.Listen.Origins = []string{"c.example"}
	wantEqual(t, cfg, want)
}

func TestProductionFile(t *testing.T) {
	cfg, err := Load(Options{File: filepath.Join(testdata, "good_production.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen = Listen{
		Address:        "0.0.0.0:8443",
		Origins:        []string{"pbx.example.com", "https://panel.example.com:8443"},
		TrustedProxies: []string{},
		ProxyProtocol:  "off", TLSCertificate: "/etc/strowger/chain.pem",
		TLSKey: "/etc/strowger/key.pem", CompressionLevel: 1, CompressionThreshold: KiB,
	}
	want.Limits.Connections = 40000
	want.Limits.HeaderBytes = 16 * KiB
	want.Limits.ClientBytes = 512 * KiB
	want.Limits.ServiceBytes = 32 * MiB
	want.Limits.WriteTimeout = 90 * time.Second
	want.Keepalive.PingInterval = 0
	want.Tokens.Owners = []string{"fusionpbx", "1001"}
	want.Routing.UnknownService = "404"
	want.Services = Services{UnknownClass: "client", Pool: 8, Dynamic: 1000, Classes: []string{"billing_service", `Acme\Phone\panel_service`}, ActiveCalls: "inside", ActiveConferences: "inside", OperatorPanel: "inside"}
	wantEqual(t, cfg, want)
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testdata, "fail_many.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader()
	l.readYAML("fail_many.yaml", data)
	l.readEnvironment([]string{"STROWGER_LOG__LEVEL=quiet", "STROWGER_LIMITS_DEPTH=600", "STROWGER_LIMITS__WRITE_TIMEOUT=0"}, nil)
	cfg, err := l.config()
	if cfg != nil || err == nil {
		t.Fatalf("got %v and error %v", cfg, err)
	}

	golden := filepath.Join(testdata, "fail_many.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, readErr := os.ReadFile(golden)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if got := err.Error() + "\n"; got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	_, err := loadYAML("limits:\n  header_timeout: 3\n  depth: 1\n")
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T does not list its errors", err)
	}
	want := []Error{
		{"test.yaml", 3, "limits.depth", "1 is too small, the smallest is 8"},
		{"test.yaml", 2, "limits.header_timeout", "3 has no unit, write 3s"},
	}
	list := joined.Unwrap()
	if len(list) != len(want) {
		t.Fatalf("%d errors, want %d: %v", len(list), len(want), err)
	}
	for i := range list {
		var got *Error
		if !errors.As(list[i], &got) || *got != want[i] {
			t.Errorf("error %d is %#v, want %#v", i, list[i], want[i])
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	large := writeFile(t, "large", string(make([]byte, 2<<20)))

	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"missing file", Options{File: missing}, missing + ": open: no such file or directory"},
		{"missing fusionpbx", Options{FusionPBX: missing}, missing + ": open: no such file or directory"},
		{"directory", Options{File: dir}, dir + ": is a directory, not a regular file"},
		{"too large", Options{File: large}, large + ": is larger than 1MiB"},
		{"endless", Options{File: "/dev/zero"}, "/dev/zero: is a device, not a regular file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.opts)
			wantError(t, err, test.want)
		})
	}
}

func TestValuesThatDoNotGoTogether(t *testing.T) {
	tests := []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{"certificate alone", "listen: {tls_certificate: /c}", nil,
			[]string{"test.yaml:1: listen.tls_key: is missing, listen.tls_certificate needs it"}},
		{"key alone", "listen: {tls_key: /k}", nil,
			[]string{"test.yaml:1: listen.tls_certificate: is missing, listen.tls_key needs it"}},
		{"timeout in the file, interval in the environment", "keepalive: {idle_timeout: 30s}",
			[]string{"STROWGER_KEEPALIVE__PING_INTERVAL=30s"},
			[]string{"test.yaml:1: keepalive.idle_timeout: 30s is not longer than keepalive.ping_interval, which is 30s"}},
		{"interval over the default timeout", "", []string{"STROWGER_KEEPALIVE__PING_INTERVAL=2m"},
			[]string{"STROWGER_KEEPALIVE__PING_INTERVAL: keepalive.idle_timeout: 1m30s is not longer than keepalive.ping_interval, which is 2m"}},
		{"one of the two is wrong already", "keepalive: {idle_timeout: 10s, ping_interval: 5}", nil,
			[]string{"test.yaml:1: keepalive.ping_interval: 5 has no unit, write 5s"}},
		{"the file with the other is wrong", "listen: [", []string{"STROWGER_LISTEN__TLS_KEY=/k"},
			[]string{"test.yaml:1: yaml: did not find expected node content"}},
		{"wrong in the file, right in the environment", "limits: {depth: 1}", []string{"STROWGER_LIMITS__DEPTH=100"},
			[]string{"test.yaml:1: limits.depth: 1 is too small, the smallest is 8"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLoader()
			l.readYAML("test.yaml", []byte(test.file))
			l.readEnvironment(test.environ, nil)
			_, err := l.config()
			wantError(t, err, test.want...)
		})
	}
}

func TestValuesThatDoGoTogether(t *testing.T) {
	for _, text := range []string{
		"listen: {tls_certificate: /c, tls_key: /k}",
		"keepalive: {idle_timeout: 30s, ping_interval: 29s}",
		"keepalive: {idle_timeout: 0s, ping_interval: 1h}",
		"keepalive: {idle_timeout: 1s, ping_interval: 0s}",
	} {
		mustLoadYAML(t, text)
	}
}

// The default of admin.address does not keep the router from its port. One that was written does.
func TestDefaultAdminAddressGivesWay(t *testing.T) {
	listen := "STROWGER_LISTEN__ADDRESS=" + Default().Admin.Address
	cfg, err := Load(Options{Environ: []string{listen}})
	if err != nil || !cfg.AdminGivesWay() {
		t.Errorf("the default: %v", err)
	}
	if err == nil && cfg.Validate() != nil {
		t.Errorf("validate: %v", cfg.Validate())
	}
	chosen := "STROWGER_ADMIN__ADDRESS=" + Default().Admin.Address
	if _, err := Load(Options{Environ: []string{listen, chosen}}); err == nil || !strings.Contains(err.Error(), "admin.address") {
		t.Errorf("the same address, chosen: %v", err)
	}
	if cfg, err := Load(Options{Environ: []string{chosen}}); err != nil || cfg.AdminGivesWay() {
		t.Errorf("an address that was chosen gives way, %v", err)
	}
}
