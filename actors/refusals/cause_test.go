package refusals

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// withoutSetting has the causes that no setting decides, with the reason.
func withoutSetting() map[Cause]string {
	return map[Cause]string{
		Handshake:   "the peer does not ask for a WebSocket, and no setting makes that right",
		Abandoned:   "the peer has left by itself",
		Protocol:    "RFC 6455 is no setting",
		NotUTF8:     "RFC 6455 is no setting",
		Accept:      "the kernel decides",
		UnknownName: "a name is there once a service offers it or a client watches it",
	}
}

// severalSettings has the causes whose events say which of several settings decides.
func severalSettings() map[Cause]string {
	return map[Cause]string{
		Token:     "most tokens are refused whatever the settings are",
		TooBig:    "each role has its own",
		Renewal:   "the error says which, as of a token",
		Ticket:    "only one that would be too long goes by a setting",
		Waiting:   "the place that was missing has its own",
		Unchecked: "JWTs and API keys have their own",
	}
}

// elsewhere has what decides and is no setting of strowger's.
func elsewhere() []string { return []string{"LimitNOFILE", "fs.file-max"} }

// documented returns the rows of the table of causes in docs/admin.md: what stands in the column of settings, by cause.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/admin.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| `cause` | is | setting |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/admin.md has no table of causes")
	}
	rows := make(map[string]string)
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if len(cells) != 3 {
			break
		}
		rows[strings.Trim(cells[0], " `")] = strings.TrimSpace(cells[2])
	}
	return rows
}

// settings returns the keys in docs/configuration.md, which is made of those that the program knows.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.HasPrefix(line, "| `") {
			keys[name] = true
		}
	}
	if !keys["limits.client_bytes"] {
		t.Fatal("docs/configuration.md has no limits.client_bytes")
	}
	return keys
}

// Each cause is in docs/admin.md with the settings that its line names, and those can be set. A cause without a
// setting has a reason.
func TestCausesAreDocumented(t *testing.T) {
	rows, keys := documented(t), settings(t)
	for c := range causes {
		row, ok := rows[c.String()]
		if !ok {
			t.Errorf("docs/admin.md does not list the cause %s", c)
			continue
		}
		delete(rows, c.String())
		own := c.text().setting
		for name := range strings.SplitSeq(own, ", ") {
			if own != "" && !strings.Contains(row, "`"+name+"`") {
				t.Errorf("%s: docs/admin.md does not name %s, which the log does", c, name)
			}
		}
		for i, name := range strings.Split(row, "`") {
			if i%2 == 1 && !keys[name] && !slices.Contains(elsewhere(), name) {
				t.Errorf("%s: %s is no setting", c, name)
			}
		}
		_, none := withoutSetting()[c]
		_, several := severalSettings()[c]
		if none != (own == "" && row == "") || several != (own == "" && row != "") {
			t.Errorf("%s: the log names %q and docs/admin.md %q; one without a setting needs a reason in this test", c, own, row)
		}
	}
	for cause := range maps.Keys(rows) {
		t.Errorf("docs/admin.md lists %s, which is no cause", cause)
	}
}

// Each cause makes a line at its level with peer, role and setting, and one after a minute that counts the others.
func TestEachCauseIsALineAMinute(t *testing.T) {
	for c := range causes {
		t.Run(c.String(), func(t *testing.T) {
			want := slog.LevelWarn
			switch c {
			case Descriptors, Accept:
				want = slog.LevelError // a fault of the machine
			case Abandoned:
				want = slog.LevelDebug // nobody's
			}
			b := newBench(t)
			b.log = slog.New(slog.NewJSONHandler(&b.out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			e := Event{Cause: c, Remote: "10.0.0.1:9", Role: "client", Kind: "k", More: []any{"bytes", 7}}
			check := func(when string, suppressed any) {
				t.Helper()
				lines := b.lines()
				if len(lines) != 1 {
					t.Fatalf("%s: %v, want one line", when, lines)
				}
				l := lines[0]
				if l["level"] != want.String() || l["cause"] != c.String() || l["remote"] != e.Remote || l["role"] != e.Role || l["bytes"] != 7.0 || l["suppressed"] != suppressed {
					t.Errorf("%s: got %v, want all of it at %s with %v suppressed", when, l, want, suppressed)
				}
				if got := fmt.Sprint(l["setting"]); c.text().setting != "" && got != c.text().setting {
					t.Errorf("%s: setting %s, want %s", when, got, c.text().setting)
				}
			}
			for range 5 {
				b.Add(e)
			}
			check("at once", nil)
			b.clock.Advance(window)
			b.Sweep()
			check("after a minute", 3.0)
		})
	}
}
