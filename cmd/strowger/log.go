package main

import (
	"bytes"
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
	return slog.New(newHandler(w, format, isTerminal(w), level))
}

// newQueuedLog returns a logger like newLog's that does not wait for whoever reads w: up to size
// bytes of lines wait in the queue. The queue has to be closed. Where w is closed all lines are counted
// as lost.
func newQueuedLog(w io.Writer, format string, level slog.Leveler, size int) (*slog.Logger, *logQueue) {
	terminal := isTerminal(w)
	queue := newLogQueue(openLog(w), size, func(lines int64) []byte {
		var line bytes.Buffer
		// Whatever the level is: the lines that are missing had passed it.
		slog.New(newHandler(&line, format, terminal, slog.LevelWarn)).
			Warn("log lines dropped, their reader was too slow or gone", "lines", lines)
		return line.Bytes()
	})
	return slog.New(newHandler(queue, format, terminal, level)), queue
}

func newHandler(w io.Writer, format string, terminal bool, level slog.Leveler) slog.Handler {
	if format == "text" || format == "auto" && terminal {
		return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.StampMilli, NoColor: !terminal})
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
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
