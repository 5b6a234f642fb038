package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"strowger/client"
)

type (
	// topPulse is what the daemon tells once a second.
	topPulse struct {
		At     int64  `json:"at_ms"`
		Sample sample `json:"sample"`
	}
	// topTables are the rows that are shown.
	topTables struct {
		services    []serviceRow
		connections []connectionRow
		daemon      daemonStatus
		err         error
	}
	// topTick comes once a second.
	topTick struct{}
)

// topOrders are the orders of the connections.
func topOrders() []string {
	return []string{"queued_bytes", "out_bytes", "in_bytes", "subscriptions", "idle"}
}

// topScreen is what top shows. It implements tea.Model.
type topScreen struct {
	console *console
	ctx     context.Context //nolint:containedctx // commands of the library get none
	wait    time.Duration   // for an answer

	pulse         topPulse
	tables        topTables
	order         int // of topOrders
	width, height int
	asking, still bool
}

// Init implements tea.Model.
func (s *topScreen) Init() tea.Cmd { return s.look() }

// look asks for the tables, unless an answer is awaited.
func (s *topScreen) look() tea.Cmd {
	if s.asking {
		return nil
	}
	s.asking = true
	order, c := topOrders()[s.order], s.console
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(s.ctx, s.wait)
		defer cancel()
		var services struct {
			Rows []serviceRow `json:"rows"`
		}
		var connections struct {
			Rows []connectionRow `json:"rows"`
		}
		// A daemon that was started anew tells nothing before somebody says hello.
		hello, err := c.ask(ctx, "hello", nil)
		if err != nil {
			return topTables{err: err}
		}
		one, err := c.ask(ctx, "services", map[string]any{"sort": "rate", "descending": true, "limit": 50})
		if err != nil {
			return topTables{err: err}
		}
		other, err := c.ask(ctx, "connections", map[string]any{"sort": order, "descending": true, "limit": 50})
		if err != nil {
			return topTables{err: err}
		}
		var daemon daemonStatus
		err = errors.Join(json.Unmarshal(hello, &daemon), json.Unmarshal(one, &services), json.Unmarshal(other, &connections))
		return topTables{services.Rows, connections.Rows, daemon, err}
	}
}

// Update implements tea.Model.
func (s *topScreen) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case tea.KeyPressMsg:
		switch m.String() {
		case "q", "ctrl+c", "esc":
			return s, tea.Quit
		case "p", "space":
			s.still = !s.still
		case "s":
			s.order = (s.order + 1) % len(topOrders())
			return s, s.look()
		}
	case topPulse:
		if !s.still {
			s.pulse = m
		}
	case topTick:
		if !s.still {
			return s, s.look()
		}
	case topTables:
		s.asking = false
		if m.err != nil {
			s.tables.err = m.err
			return s, nil
		}
		s.tables = m
	}
	return s, nil
}

// View implements tea.Model.
func (s *topScreen) View() tea.View {
	v := tea.NewView(strings.Join(s.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "strowger top"
	return v
}

// The size of a terminal that does not say one.
const (
	usualWidth  = 80
	usualHeight = 24
)

// lines returns the screen, no more lines than it has and none longer.
func (s *topScreen) lines() []string {
	width, height := s.width, s.height
	if width <= 0 || height <= 0 {
		width, height = usualWidth, usualHeight
	}
	lines := s.head()
	// The services get a third of what is left, and more if there are few connections.
	room := max(0, height-len(lines)-4)
	most := max(room/3, room-len(s.tables.connections))
	services := s.tables.services[:min(len(s.tables.services), most)]
	lines = append(lines, "", fmt.Sprintf("%-32s %-10s %8s %9s %9s %6s", "SERVICE", "STATE", "REQ/S", "REQUESTS", "FAILURES", "OPEN"))
	for i := range services {
		r := &services[i]
		lines = append(lines, fmt.Sprintf("%-32s %-10s %8.1f %9d %9d %6d", plainText(r.Name, 32), plainText(r.State, 10), r.Rate, r.Requests, r.Failures, r.Open))
	}
	lines = append(lines, "", fmt.Sprintf("%-7s %-26s %-21s %7s %9s %9s", "NUMBER", "WHO", "REMOTE", "AGE", "QUEUED", "OUT"))
	for i := range s.tables.connections {
		r := &s.tables.connections[i]
		lines = append(lines, fmt.Sprintf("%-7d %-26s %-21s %7s %9s %9s", r.Number, plainText(r.who(), 26), plainText(r.Remote, 21),
			ageText(time.Duration(r.AgeMS)*time.Millisecond), bytesText(r.QueuedBytes), bytesText(r.OutBytes)))
	}
	lines = lines[:min(len(lines), height)]
	for i, line := range lines {
		lines[i] = ansi.Truncate(strings.TrimRight(line, " "), width, "…")
	}
	return lines
}

func (s *topScreen) head() []string {
	state := "ready"
	d := &s.tables.daemon
	if !d.Ready {
		state = "not ready"
	}
	if s.console != nil && s.console.client.State() != client.StateOnline {
		state = "the connection is lost, trying again"
	}
	if s.still {
		state += ", stopped: p goes on"
	}
	p := &s.pulse.Sample
	lines := []string{
		fmt.Sprintf("strowger %s on %s, pid %d: %s", plainText(d.Version, 30), plainText(d.Host, 30), d.PID, state),
		fmt.Sprintf("%s, %s, %s waiting, %.1f%% CPU, %s heap", plural(p.Connections, "connection"), plural(p.Clients, "client"), bytesText(p.WaitingBytes), p.CPU, bytesText(p.HeapBytes)),
		fmt.Sprintf("%.0f requests/s, %.0f replies/s, %.0f broadcasts/s, %.0f dead letters/s", p.Requests, p.Replies, p.Broadcasts, p.DeadLetters),
		"q ends, p stops, s sorts connections: " + topOrders()[s.order],
	}
	if s.tables.err != nil {
		lines[3] = plainText(s.tables.err.Error(), 200)
	}
	if d.Cluster != nil {
		lines = slices.Insert(lines, 3, d.Cluster.line())
	}
	return lines
}
