package introspect

import (
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestLogKeepsTheLatestLines(t *testing.T) {
	l := NewLog(3, 1<<20)
	var out strings.Builder
	log := slog.New(l.Handler(slog.NewTextHandler(&out, nil)))
	log.Debug("not enabled")
	log.With("a", 1).WithGroup("g").Warn("one", "b", "x")
	for range 3 {
		log.Info("again", "n", 2)
	}
	lines := l.After(0)
	if len(lines) != 3 || l.Count() != 4 || lines[0].Number != 2 || lines[2].Number != 4 {
		t.Fatalf("%d lines of %d", len(lines), l.Count())
	}
	if got := lines[0]; got.Message != "again" || got.Level != "INFO" || string(got.Attributes) != `{"n":2}` || got.AtLeast(slog.LevelWarn) {
		t.Errorf("got %+v %s", got, got.Attributes)
	}
	if got := l.After(3); len(got) != 1 || got[0].Number != 4 {
		t.Errorf("after 3: %+v", got)
	}
	if l.After(4) != nil {
		t.Error("there is something after the last line")
	}
	if n := strings.Count(out.String(), "\n"); n != 4 {
		t.Errorf("%d lines were passed on: %s", n, out.String())
	}
}

func TestLogKeepsGroups(t *testing.T) {
	l := NewLog(1, 1<<20)
	slog.New(l.Handler(slog.NewTextHandler(io.Discard, nil))).With("a", 1).WithGroup("g").Warn("one", "b", slog.GroupValue(slog.Int("c", 2)))
	if got := string(l.After(0)[0].Attributes); got != `{"a":1,"g":{"b":{"c":2}}}` {
		t.Error(got)
	}
}

func TestLogBoundsItsBytes(t *testing.T) {
	size := (&LogRecord{Message: "m", Attributes: json.RawMessage(`{"a":"x"}`)}).size()
	for name, test := range map[string]struct{ records, bytes, kept int }{
		"two fit":         {10, 2 * size, 2},
		"two do not":      {10, 2*size - 1, 1},
		"none fits":       {10, size - 1, 0},
		"none is kept":    {0, 1 << 20, 0},
		"as many records": {2, 1 << 20, 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLog(test.records, test.bytes)
			log := slog.New(l.Handler(slog.NewTextHandler(io.Discard, nil)))
			for range 5 {
				log.Info("m", "a", "x")
			}
			if got := len(l.After(0)); got != test.kept {
				t.Errorf("%d lines, want %d", got, test.kept)
			}
		})
	}
	l := NewLog(10, 1<<20)
	slog.New(l.Handler(slog.NewTextHandler(io.Discard, nil))).Info("long", "text", strings.Repeat("x", 1<<20))
	got := l.After(0)[0]
	if len(got.Attributes) > longestRecord || !json.Valid(got.Attributes) {
		t.Errorf("%d bytes of a long line, valid: %v", len(got.Attributes), json.Valid(got.Attributes))
	}
}
