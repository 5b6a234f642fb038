package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

func TestClock(t *testing.T) {
	c := servicetest.Start(t, clock, service.Options{}).Call(t)
	c.Send("now", `1`, "")
	for _, want := range []string{"now", "tick"} {
		m := servicetest.NextBut(c)
		if _, err := time.Parse(time.RFC3339, strings.Trim(string(m.Payload), `"`)); err != nil || m.Topic != want {
			t.Errorf("%s says %s: %v", m.Topic, m.Payload, err)
		}
	}
}

// TestPages checks that the pages show this very service, and that it is as small as they say.
func TestPages(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "var clock")
	body, _, ok := strings.Cut(rest, "\n}\n")
	smallest := "var clock" + body + "\n}\n"
	if lines := strings.Count(smallest, "\n"); !ok || lines >= 20 {
		t.Errorf("the service has %d lines", lines)
	}
	for _, page := range []string{"../../README.md", "../../docs/services.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), smallest) {
			t.Errorf("%s does not show\n%s", page, smallest)
		}
	}
}
