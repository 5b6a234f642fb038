package config

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func written(t *testing.T, cfg *Config) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, cfg); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteDefaultsLoadsAsDefaults(t *testing.T) {
	var out bytes.Buffer
	if err := WriteDefaults(&out); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, mustLoadYAML(t, out.String()), Default())
}

func TestWriteDefaultsUncommentedIsEveryKeyAtItsDefault(t *testing.T) {
	line := regexp.MustCompile(`(?m)^  #([a-z_]+: )`)
	commented := written(t, Default())
	if got, want := len(line.FindAllString(commented, -1)), len(keys()); got != want {
		t.Errorf("%d keys are commented out, want %d", got, want)
	}
	text := line.ReplaceAllString(commented, "  $1")

	l := newLoader()
	l.readYAML("test.yaml", []byte(text))
	cfg, err := l.config()
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, cfg, Default())
	if got, want := len(l.origins), len(keys()); got != want {
		t.Errorf("%d keys are in the file, want %d", got, want)
	}
}

func TestWriteIsReadBack(t *testing.T) {
	cfg := Default()
	cfg.Listen.Address = "[::1]:0"
	cfg.Listen.Origins = []string{"*", "https://pbx.example.com"}
	cfg.Listen.TLSCertificate = `/a "quoted" \ path # of ütf-8: ☎ [x] ` + "\u200b\u00a0\U000e0001"
	cfg.Listen.TLSKey = "~"
	cfg.Limits.HeaderTimeout = 1234567 * time.Microsecond
	cfg.Limits.ClientBytes = MiB + 1
	cfg.Keepalive.PingInterval = 0
	cfg.Routing.UnknownService = "404"
	cfg.Routing.RepliesWithoutResource = false
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	text := written(t, cfg)
	wantEqual(t, mustLoadYAML(t, text), cfg)
	if !strings.Contains(text, "\n  ping_interval: 0s\n") || !strings.Contains(text, "\n  #idle_timeout: 1m30s\n") {
		t.Errorf("only what is not a default should be live:\n%s", text)
	}
}

func TestWriteExplainsEveryKey(t *testing.T) {
	text := written(t, Default())
	for line := range strings.Lines(text) {
		if len(line) > 84 {
			t.Errorf("line of %d bytes: %s", len(line), line)
		}
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(text, "\n  #", "")), " ")
	for _, k := range keys() {
		want := k.doc + " Allowed: " + k.rule.text + ". " + k.apply.String() + "."
		if !strings.Contains(flat, want) {
			t.Errorf("%s: %q is not there", k.name, want)
		}
	}
}

func TestWriteReportsTheWriter(t *testing.T) {
	full := errors.New("disk full")
	if err := WriteDefaults(failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
