package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// newLog returns a logger to w. The format is one of log.format: auto is text on a terminal and
// JSON elsewhere. Text does not escape messages, so these must be constants.
func newLog(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	terminal := isTerminal(w)
	if format == "text" || format == "auto" && terminal {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.StampMilli, NoColor: !terminal}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// logLevel returns the level that log.level names.
func logLevel(name string) slog.Level {
	var level slog.Level
	// Every name that the configuration lets through is one; anything else is Info.
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return level
}
