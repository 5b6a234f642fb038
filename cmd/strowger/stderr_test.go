package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// loggingLines, if set, makes TestLogOfProcess log so many lines.
const loggingLines = "LOGGING_LINES"

// TestLogOfProcess logs to the stderr that the process was started with, and says on stdout how many
// lines were lost.
func TestLogOfProcess(t *testing.T) {
	lines, err := strconv.Atoi(os.Getenv(loggingLines))
	if err != nil {
		t.Skip("only for tests that start it")
	}
	log, queue := newQueuedLog(os.Stderr, "auto", slog.LevelInfo, 1<<20)
	for range lines {
		log.Info("line")
	}
	queue.Close(time.Minute)
	fmt.Printf("lost %d\n", queue.Lost())
}

// TestClosedStderr: lines are counted as lost where stderr is closed, as no error tells of it.
func TestClosedStderr(t *testing.T) {
	for name, test := range map[string]struct{ redirect, want string }{
		"closed":      {"2>&-", "lost 3"},
		"thrown away": {"2>/dev/null", "lost 0"},
		"all of them": {"<&- 2>&-", "lost 3"},
		"stdin only":  {"<&- 2>/dev/null", "lost 0"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", `exec "$0" -test.run='^TestLogOfProcess$' `+test.redirect, os.Args[0])
			cmd.Env = append(os.Environ(), loggingLines+"=3")
			got, err := cmd.Output()
			if err != nil || string(got[:min(len(got), len(test.want)+1)]) != test.want+"\n" {
				t.Errorf("got %q, %v, want %s", got, err, test.want)
			}
		})
	}
}
