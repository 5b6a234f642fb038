package config

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func testFlags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("listen", "127.0.0.1:1", "")
	flags.StringSlice("origin", []string{"default.example"}, "")
	flags.StringArray("class", nil, "")
	flags.Duration("timeout", 5*time.Second, "")
	flags.Int("depth", 77, "")
	flags.Bool("unsolicited", true, "")
	flags.String("size", "3", "")
	flags.String("unmapped", "x", "")
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

var testFlagKeys = map[string]string{
	"listen":      "listen.address",
	"origin":      "listen.origins",
	"class":       "services.classes",
	"timeout":     "limits.header_timeout",
	"depth":       "limits.depth",
	"unsolicited": "routing.unsolicited_replies",
	"size":        "limits.client_bytes",
	"elsewhere":   "log.level",
}

func TestFlags(t *testing.T) {
	flags := testFlags(t, "--listen", ":0", "--origin", "a.example,b.example", "--class", "one", "--class", "two",
		"--timeout", "90s", "--depth", "88", "--unsolicited", "--size", "2MiB", "--unmapped", "y")
	cfg, err := Load(Options{Flags: flags, FlagKeys: testFlagKeys})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen.Address = ":0"
	want.Listen.Origins = []string{"a.example", "b.example"}
	want.Services.Classes = []string{"one", "two"}
	want.Limits.HeaderTimeout = 90 * time.Second
	want.Limits.Depth = 88
	want.Limits.ClientBytes = 2 * MiB
	want.Routing.UnsolicitedReplies = true
	wantEqual(t, cfg, want)
}

func TestFlagsThatWereNotGivenDoNotCount(t *testing.T) {
	cfg, err := Load(Options{Flags: testFlags(t), FlagKeys: testFlagKeys})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, cfg, Default())
}

func TestFlagsThatAreWrong(t *testing.T) {
	tests := []struct {
		name string
		args []string
		keys map[string]string
		want string
	}{
		{"value", []string{"--listen", "nowhere"}, testFlagKeys,
			"--listen: listen.address: nowhere is not host:port, write it like 127.0.0.1:8080 or [::1]:8080"},
		{"bounds", []string{"--depth", "1"}, testFlagKeys, "--depth: limits.depth: 1 is too small, the smallest is 8"},
		{"unknown key", []string{"--listen", ":0"}, map[string]string{"listen": "listen.adress"},
			"--listen: listen.adress: unknown key, did you mean listen.address?"},
		{"list for one value", []string{"--origin", "a"}, map[string]string{"origin": "log.level"},
			"--origin: log.level: takes one value, not a list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(Options{Flags: testFlags(t, test.args...), FlagKeys: test.keys})
			wantError(t, err, test.want)
		})
	}
}
