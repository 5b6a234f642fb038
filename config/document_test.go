package config

import (
	"strings"
	"testing"
)

func TestFilesThatSayNothing(t *testing.T) {
	tests := map[string]string{
		"empty":                 "",
		"comment":               "# nothing\n",
		"only a separator":      "---\n",
		"null":                  "~\n",
		"empty mapping":         "{}",
		"empty section":         "limits:\n",
		"empty section mapping": "limits: {}\n",
		"byte order mark":       "\ufeff",
		"end of document":       "---\n...\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			wantEqual(t, mustLoadYAML(t, text), Default())
		})
	}
}

func TestYAMLThatIsRight(t *testing.T) {
	tests := []struct {
		name, text string
		same       string // another way to write it
	}{
		{"block", "limits:\n  depth: 99\n", "limits: {depth: 99}"},
		{"windows line ends", "limits:\r\n  depth: 99\r\n", "limits: {depth: 99}"},
		{"byte order mark", "\ufefflimits: {depth: 99}", "limits: {depth: 99}"},
		{"quoted number", `limits: {depth: "99"}`, "limits: {depth: 99}"},
		{"sizes", "limits: {client_bytes: 2097152}", "limits: {client_bytes: 2 MiB}"},
		{"number for a word", "routing: {unknown_service: 503}", `routing: {unknown_service: "503"}`},
		{"numbers in a list", "tokens: {owners: [33]}", `tokens: {owners: ["33"]}`},
		{"anchor nobody uses", "limits: {depth: &d 99}", "limits: {depth: 99}"},
		{"no sections twice", "limits: {depth: 99}\nlog: {}", "limits: {depth: 99}"},
		{"zero durations", "keepalive: {ping_interval: 0s, idle_timeout: 0m}", "keepalive: {ping_interval: 0ms, idle_timeout: 0s}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := mustLoadYAML(t, test.text)
			wantEqual(t, cfg, mustLoadYAML(t, test.same))
			if len(Diff(Default(), cfg)) == 0 {
				t.Error("nothing was read")
			}
		})
	}
}

func TestYAMLThatIsWrong(t *testing.T) {
	laughs := "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nlimits: {depth: *c}\n"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"syntax", "limits:\n  depth: 9\n  x: y: z\n", []string{"test.yaml:3: yaml: mapping values are not allowed in this context"}},
		{"syntax in the first line", "a: [", []string{"test.yaml:1: yaml: did not find expected node content"}},
		{"syntax in a second document", "---\nlimits:\n---\n[\n", []string{"test.yaml:4: yaml: did not find expected node content"}},
		{"tab", "limits:\n\tdepth: 9\n", []string{"test.yaml:2: yaml: found character that cannot start any token"}},
		{"open quote", "a: 'x\n\n", []string{"test.yaml:3: yaml: found unexpected end of stream"}},
		{"unknown anchor", "log:\n  level: *l\n", []string{"test.yaml:2: yaml: unknown anchor 'l' referenced"}},
		{"binary", "limits:\n\x00\x01", []string{"test.yaml:2: has control character 0x00"}},
		{"delete character", "limits:\n\n\x7f", []string{"test.yaml:3: has control character 0x7f"}},
		{"latin 1", "limits: \xe9", []string{"test.yaml:1: byte 0xe9 is not UTF-8"}},
		{"two documents", "---\nlog: {}\n---\nlog: {}\n", []string{"test.yaml:3: has a second YAML document"}},
		{"list", "\n- limits\n", []string{"test.yaml:2: must hold sections such as listen and limits, not a list"}},
		{"single value", "limits", []string{"test.yaml:1: must hold sections such as listen and limits, not a single value"}},
		{"key twice", "log:\n  level: info\n  level: warn\n", []string{"test.yaml:3: log.level: is there twice, first on line 2"}},
		{"section twice", "log:\nlog:\n", []string{"test.yaml:2: log: is there twice, first on line 1"}},
		{"section that is a value", "log: info", []string{"test.yaml:1: log: is a section and must hold keys, not a single value"}},
		{"section that is a list", "log: [level]", []string{"test.yaml:1: log: is a section and must hold keys, not a list"}},
		{"key that is a section", "log: {level: {x: y}}", []string{"test.yaml:1: log.level: is a section, not a value"}},
		{"list for one value", "log: {level: [info]}", []string{"test.yaml:1: log.level: takes one value, not a list"}},
		{"one value for a list", "listen: {origins: a.example}", []string{`test.yaml:1: listen.origins: takes a list, write ["a.example"]`}},
		{"list in a list", "listen: {origins: [a.example, [b.example]]}", []string{"test.yaml:1: listen.origins: item 2 is a list, not a value"}},
		{"nothing in a list", "listen: {origins: [~]}", []string{"test.yaml:1: listen.origins: item 1 has no value; leave the line out to keep the default"}},
		{"empty item", `listen: {origins: [""]}`, []string{"test.yaml:1: listen.origins: has an empty item"}},
		{"no value", "log: {level: }", []string{"test.yaml:1: log.level: has no value; leave the line out to keep the default"}},
		{"tag", "log: {level: !!str info}", []string{"test.yaml:1: log.level: has a tag (!!str), which is not supported"}},
		{"key that is a list", "log: {[a]: b}", []string{"test.yaml:1: log: has a list in place of a key"}},
		{"merge key", "log: {<<: {level: info}}", []string{"test.yaml:1: log: has a merge key (<<), which is not supported"}},
		{"alias", "log: &l {level: warn}\nlimits: *l\n", []string{"test.yaml:2: limits: is a section and must hold keys, not an alias (*), which is not supported"}},
		{"laughs", laughs, []string{
			"test.yaml:1: a: unknown key", "test.yaml:2: b: unknown key", "test.yaml:3: c: unknown key",
			"test.yaml:4: limits.depth: is an alias (*), which is not supported, not a value"}},
		{"dotted key", "limits.depth: 9", []string{"test.yaml:1: limits.depth: a dotted key is not supported, write depth in the section limits"}},
		{"key without section", "depth: 9", []string{"test.yaml:1: depth: unknown key, did you mean limits.depth?"}},
		{"key in the wrong section", "log: {depth: 9}", []string{"test.yaml:1: log.depth: unknown key, did you mean limits.depth?"}},
		{"misspelt key", "limits: {conections: 9}", []string{"test.yaml:1: limits.conections: unknown key, did you mean limits.connections?"}},
		{"misspelt section", "limit: {depth: 9}", []string{"test.yaml:1: limit: unknown key, did you mean limits?"}},
		{"key unlike any", "log: {color: blue}", []string{"test.yaml:1: log.color: unknown key"}},
		{"fusionpbx is no section", "fusionpbx: {documentroot: /}", []string{"test.yaml:1: fusionpbx: unknown key"}},
		{"control character", `listen: {tls_key: "a\nb"}`, []string{"test.yaml:1: listen.tls_key: has control characters"}},
		{"long key", strings.Repeat("k", 200) + ": 1", []string{"test.yaml:1: " + strings.Repeat("k", 64) + "...: unknown key"}},
		{"octal", "limits: {depth: 0100}", []string{"test.yaml:1: limits.depth: 0100 is not a plain whole number"}},
		{"yes", "routing: {unsolicited_replies: yes}", []string{"test.yaml:1: routing.unsolicited_replies: yes is neither true nor false"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadYAML(test.text)
			wantError(t, err, test.want...)
		})
	}
}

// A file of nothing but mistakes must not keep a reload busy for long, so
// near names are looked for only at its beginning.
func TestManyUnknownKeys(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		text.WriteString("limits")
		text.WriteString(strings.Repeat("x", i%3))
		text.WriteString(strings.Repeat("y", i/3%50))
		text.WriteString(string(rune('a' + i/150%26)))
		text.WriteString(string(rune('a' + i/3900%26)))
		text.WriteString(": 1\n")
	}
	_, err := loadYAML(text.String())
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 20_000 {
		t.Fatalf("want 20000 errors joined, got %T", err)
	}
	suggestions := strings.Count(err.Error(), "did you mean")
	if suggestions == 0 || suggestions > 101 {
		t.Errorf("%d suggestions", suggestions)
	}
}
