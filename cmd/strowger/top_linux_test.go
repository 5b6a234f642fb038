package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal of 24 lines of 80 columns.
func openTerminal(t *testing.T) (keyboard, tty *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there is no pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return keyboard, tty
}

// Top draws on a terminal what a daemon does, and ends at q.
func TestTopOnATerminal(t *testing.T) {
	_, admin := serveWithConsole(t, t.TempDir())
	keyboard, tty := openTerminal(t)
	screen := newOutput()
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			// A line for each piece: output waits for whole lines.
			fmt.Fprintf(screen, "%q\n", buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	top := begin(t, func(p *program) {
		p.stdin, p.stdout = tty, tty
		p.environ = []string{"TERM=xterm-256color"}
	}, "top", "--admin", admin)
	screen.line(t, "dashboard.system.information")
	if _, err := keyboard.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	top.wait(0)
	_ = tty.Close()
	<-drawn
	if !strings.Contains(screen.String(), "requests/s") {
		t.Errorf("screen: %s", screen)
	}
}
