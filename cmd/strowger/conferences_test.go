package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"strowger/system/fusionpbx/database/databasetest"
)

// TestActiveConferencesInside has the daemon take the place of FusionPBX's service, with and without a real database, and
// leaves the service in PHP without work.
func TestActiveConferencesInside(t *testing.T) {
	t.Run("no database", func(t *testing.T) { testConferences(t, "", `"conference_display_name":"3001"`) })
	t.Run("database", func(t *testing.T) {
		server := databasetest.Start(t).Database()
		testConferences(t, fmt.Sprintf("database.0.type = pgsql\ndatabase.0.host = %q\ndatabase.0.port = %d\ndatabase.0.name = %s\ndatabase.0.username = %s\ndatabase.0.password = \"%s\"\n",
			server.Host, server.Port, server.Name, server.Username, databasetest.Password), `"conference_display_name":"Sales Standup"`)
	})
}

func testConferences(t *testing.T, settings, want string) {
	_, fusion := startSwitch(t)
	known, err := os.ReadFile(fusion)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, fusion, string(known)+settings)
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "database: {timeout: 1m}\n")
	daemon.stderr.line(t, `"msg":"connected to the switch"`, `"connection":"commands"`)
	ask := func(domain, topic, payload string, status int, want ...string) {
		t.Helper()
		r := begin(t, nil, "call", "--url", url, "--token-dir", tokens, "--domain-name", domain, "--permission", "conference_active_view",
			"--permission", "conference_interactive_lock", "active.conferences", topic, payload)
		r.wait(status)
		for _, text := range want {
			if out := r.stdout.String(); !strings.Contains(out, text) {
				t.Errorf("%s %s is answered %s, want %s", topic, payload, out, text)
			}
		}
	}
	ask("a.example.com", "in_progress", `{"domain_name":"a.example.com"}`, 0, `"payload":[]`)
	ask("a.example.com", "in_progress", `{"domain_name":"a.example.com","uuid":"3001"}`, 0, `"conference_name":"3001@a.example.com"`, want)
	ask("a.example.com", "action", `{"action":"lock","conference_name":"3001@a.example.com"}`, 0, `"success":true`)
	ask("a.example.com", "action", `{"action":"lock","conference_name":"3001@b.example.com"}`, 3, `"code":403`)
	joinService(t, url, createToken(t, tokens, "--service", "active.conferences", "--class", "active_conferences_service"))
	daemon.stderr.line(t, "service is passive", `"stop_unit":"active_conferences"`)
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}
