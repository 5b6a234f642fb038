package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"strowger/system/demo"
	"strowger/system/token"
)

// guide is what the demo prints: where the page is, and command lines that work as they stand.
type guide struct {
	command string // how this program was called; empty means strowger
	page    string // URL
	admin   string // HOST:PORT of the console, empty if there is none
	router  string // HOST:PORT
	tokens  string // directory
	users   []demo.User
	chaos   time.Duration // 0: none by schedule
}

func (g *guide) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "strowger demo: a real router, and services in it that simulate calls\n\n  Page     %s\n  Router   ws://%s/\n", g.page, g.router)
	if g.admin != "" {
		fmt.Fprintf(&b, "  Console  http://%s/console/\n", g.admin)
	}
	if g.chaos > 0 {
		fmt.Fprintf(&b, "  Chaos    breaks a service about every %v\n", g.chaos)
	}
	b.WriteString("\nAsk, listen and break, as often as you like; these make their own tokens:\n\n")
	operator := []string{"--permission", "call_active_view", "--permission", "call_active_domain", "--domain-name", "a.example.com"}
	for _, line := range [][]string{
		{"call", demo.ClockName, "now"},
		append([]string{"listen", demo.CallsName}, operator...),
		{"call", demo.CallsName, "service_state", "--permission", "call_active_view"},
		{"call", demo.ClockName, "chaos", `{"fault":"event"}`, "--permission", "demo_chaos"},
	} {
		g.line(&b, append(line, "--token-dir", g.tokens)...)
	}
	b.WriteString("\nMake a token for a page of your own (README.md has one); it is good for one connection:\n\n")
	g.write(&b, "token", "create", "--user", "me", "--subscribe", demo.ClockName, "--token-dir", g.tokens)
	b.WriteString("\nBe somebody; each token is good for one connection, as long as the demo runs:\n")
	for _, u := range g.users {
		t, _, err := token.Create(g.tokens, u.Spec, token.JSON)
		if err != nil {
			return fmt.Errorf("make a token for %s: %w", u.ID, err)
		}
		fmt.Fprintf(&b, "\n  # %s, %s\n", u.Name, u.Title)
		g.line(&b, "listen", demo.CallsName, "--token-name", t.Name, "--token-hash", t.Hash)
	}
	b.WriteString("\n^C ends the demo.\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// line writes the command line of a verb that connects to the router.
func (g *guide) line(b *strings.Builder, args ...string) {
	if g.router != "127.0.0.1:8080" {
		args = append(args, "--url", "ws://"+g.router+"/")
	}
	g.write(b, args...)
}

// write writes one command line.
func (g *guide) write(b *strings.Builder, args ...string) {
	command := g.command
	if command == "" {
		command = "strowger"
	}
	b.WriteString("  " + quote(command))
	for _, arg := range args {
		b.WriteString(" " + quote(arg))
	}
	b.WriteString("\n")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_-]+$`)

// quote writes an argument as a shell reads it.
func quote(arg string) string {
	if plainWord.MatchString(arg) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
