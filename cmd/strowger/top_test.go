package main

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// However much there is to show, the screen is no larger than the terminal.
func TestTopFits(t *testing.T) {
	var tables topTables
	for i := range 50 {
		tables.services = append(tables.services, serviceRow{Name: fmt.Sprintf("service %d with a very long name that nobody can read", i), State: "restarting", Requests: 1 << 60})
		tables.connections = append(tables.connections, connectionRow{Number: uint64(i), User: "甲乙丙丁\x1b[2J" + strings.Repeat("x", 100), Remote: "[2001:db8:1234:5678:9abc:def0:1234:5678]:51234", QueuedBytes: 1 << 40})
	}
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 40, Height: 8}, {Width: 10, Height: 2}, {Width: 200, Height: 60}, {}} {
		for _, shown := range []topTables{tables, {}} {
			s := &topScreen{}
			s.Update(size)
			s.Update(shown)
			width, height := size.Width, size.Height
			if width == 0 {
				width, height = usualWidth, usualHeight
			}
			lines := strings.Split(s.View().Content, "\n")
			if len(lines) > height {
				t.Errorf("%v: %d lines", size, len(lines))
			}
			for _, line := range lines {
				if ansi.StringWidth(line) > width || strings.Contains(line, "\x1b") {
					t.Errorf("%v: line %q", size, line)
				}
			}
		}
	}
	s := &topScreen{}
	s.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.Update(tables)
	text := s.View().Content
	if !strings.Contains(text, "service 0") || strings.Count(text, "TiB") < 3 {
		t.Errorf("services or connections are missing:\n%s", text)
	}
}

func TestTopNeedsATerminal(t *testing.T) {
	if text := fails(t, exitError, nil, "top"); text != "strowger: top needs a terminal; strowger status prints the same once\n" {
		t.Errorf("got %s", text)
	}
}
