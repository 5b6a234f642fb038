package daemontest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// log keeps what a daemon writes to stderr.
type log struct {
	listening chan string // the address, once

	mu      sync.Mutex // Protects following.
	allowed []string   // texts of lines that are no complaint
	lines   []string
	changed chan struct{} // closed and replaced when there is a further line
}

// tailLines is how many lines a failure shows.
const tailLines = 40

func newLog() *log { return &log{listening: make(chan string, 1), changed: make(chan struct{})} }

// read keeps r's lines until it ends.
func (l *log) read(r io.Reader) error {
	reader := bufio.NewReader(r)
	announced := false
	for {
		line, err := reader.ReadString('\n')
		if line != "" {
			line = strings.TrimSuffix(line, "\n")
			l.mu.Lock()
			l.lines = append(l.lines, line)
			close(l.changed)
			l.changed = make(chan struct{})
			l.mu.Unlock()
			if addr := ListenAddr(line); addr != "" && !announced {
				announced = true
				l.listening <- addr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}

// ListenAddr returns the address that a line announces, "" for any other line.
func ListenAddr(line string) string {
	var record struct{ Msg, Addr string }
	if err := json.Unmarshal([]byte(line), &record); err != nil || record.Msg != "listening" {
		return ""
	}
	return record.Addr
}

// await waits until some line has a text, and returns the first such line. It returns false if ended is closed
// first.
func (l *log) await(text string, ended <-chan struct{}) (line string, found bool) {
	for {
		l.mu.Lock()
		at := slices.IndexFunc(l.lines, func(line string) bool { return strings.Contains(line, text) })
		if at >= 0 {
			line = l.lines[at]
		}
		changed := l.changed
		l.mu.Unlock()
		if at >= 0 {
			return line, true
		}
		select {
		case <-changed:
		case <-ended:
			return "", false
		}
	}
}

// complaint returns an error for every line that a healthy daemon does not write.
func (l *log) complaint() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var complaints []error
	for _, line := range l.lines {
		var record struct{ Level string }
		if slices.ContainsFunc(l.allowed, func(text string) bool { return strings.Contains(line, text) }) {
			continue
		}
		isRecord := json.Unmarshal([]byte(line), &record) == nil
		switch {
		case isRecord && record.Level == "ERROR", strings.Contains(line, "panic"), strings.Contains(line, "DATA RACE"):
			complaints = append(complaints, fmt.Errorf("daemon log: %s", line))
		}
	}
	return errors.Join(complaints...)
}

func (l *log) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-tailLines):], "\n")
}
