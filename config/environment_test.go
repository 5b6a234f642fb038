package config

import (
	"testing"
	"time"
)

func TestEnvironment(t *testing.T) {
	cfg, err := Load(Options{Environ: []string{
		"HOME=/root",
		"STROWGERX=1",
		"STROWGER_LIMITS__HEADER_TIMEOUT=3s",
		"STROWGER_LIMITS__CLIENT_BYTES=2MiB",
		"STROWGER_LISTEN__ORIGINS=a.example, https://b.example",
		"STROWGER_TOKENS__OWNERS=",
		"STROWGER_ROUTING__UNSOLICITED_REPLIES=true",
		"STROWGER_TOKENS__DIRECTORY=",
		"STROWGER_CONFIG=/etc/strowger.yaml",
	}, IgnoreEnviron: []string{"STROWGER_CONFIG"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Limits.HeaderTimeout = 3 * time.Second
	want.Limits.ClientBytes = 2 * MiB
	want.Listen.Origins = []string{"a.example", "https://b.example"}
	want.Routing.UnsolicitedReplies = true
	wantEqual(t, cfg, want)
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	tests := []struct{ name, variable, want string }{
		{"no unit", "STROWGER_LIMITS__HEADER_TIMEOUT=3", "STROWGER_LIMITS__HEADER_TIMEOUT: limits.header_timeout: 3 has no unit, write 3s"},
		{"empty number", "STROWGER_LIMITS__DEPTH=", `STROWGER_LIMITS__DEPTH: limits.depth: "" is not a plain whole number`},
		{"one underscore", "STROWGER_LIMITS_DEPTH=9", "STROWGER_LIMITS_DEPTH: limits_depth: unknown key, did you mean STROWGER_LIMITS__DEPTH?"},
		{"misspelt", "STROWGER_LIMITS__DEPHT=9", "STROWGER_LIMITS__DEPHT: limits.depht: unknown key, did you mean STROWGER_LIMITS__DEPTH?"},
		{"lower case", "STROWGER_limits__depth=9", "STROWGER_limits__depth: limits.depth: unknown key, unset the variable: only keys may begin with STROWGER_"},
		{"unlike any", "STROWGER_PORT=tcp://10.0.0.1:80", "STROWGER_PORT: port: unknown key, unset the variable: only keys may begin with STROWGER_"},
		{"no name", "STROWGER_=9", "STROWGER_: unknown key, unset the variable: only keys may begin with STROWGER_"},
		{"empty item", "STROWGER_LISTEN__ORIGINS=a.example,", "STROWGER_LISTEN__ORIGINS: listen.origins: has an empty item"},
		{"not UTF-8", "STROWGER_LISTEN__TLS_KEY=\xff", "STROWGER_LISTEN__TLS_KEY: listen.tls_key: is not UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(Options{Environ: []string{test.variable}})
			wantError(t, err, test.want)
		})
	}
}

func TestEveryKeyHasAVariable(t *testing.T) {
	for _, k := range keys() {
		text := format(k.def)
		switch def := k.def.(type) {
		case string:
			text = def
		case []string:
			text = ""
		case Secret:
			text = string(def)
		}
		cfg, err := Load(Options{Environ: []string{variable(k.name) + "=" + text}})
		if err != nil {
			t.Error(err)
			continue
		}
		wantEqual(t, cfg, Default())
	}
}
