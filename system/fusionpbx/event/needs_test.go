package event_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

const corpus = "../../../testdata/fusionpbx/corpus"

// TestNeeds leaves the headers that are not needed out of each recorded event. The payloads are the same.
func TestNeeds(t *testing.T) {
	entries, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]*event.Keys{"calls": event.Calls(), "conferences": event.Conferences(), "panel's calls": event.PanelCalls(),
		"panel's conferences": event.PanelConferences()}
	left := 0
	for _, entry := range entries {
		recording, err := switchsim.Load(os.DirFS(corpus), entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range recording.Events {
			_, body, ok := bytes.Cut(e.Raw, []byte("\n\n"))
			if !ok {
				continue
			}
			whole := parse(t, string(body))
			for name, keys := range lists {
				short, n := without(t, body, event.Needs([]*event.Keys{keys}))
				left += n
				a, b := keys.Payload(whole), keys.Payload(short)
				if got, want := string(b.JSON()), string(a.JSON()); got != want || a.Name() != b.Name() {
					t.Fatalf("%s, %s: %s, want %s", entry.Name(), name, got, want)
				}
			}
		}
	}
	if left == 0 {
		t.Error("no header was left out")
	}
}

// without returns the event without the headers that are not needed, and how many they are.
func without(t testing.TB, body []byte, needed func(string) bool) (*eventsocket.Event, int) {
	t.Helper()
	var text strings.Builder
	left := 0
	for line := range strings.SplitSeq(string(body), "\n") {
		if line == "" {
			break
		}
		name, _, _ := strings.Cut(line, ":")
		if !needed(strings.TrimSpace(name)) {
			left++
			continue
		}
		fmt.Fprintln(&text, line)
	}
	return parse(t, text.String()+"\n"), left
}

func TestNeedsOfOddNames(t *testing.T) {
	needs := event.Needs([]*event.Keys{event.NewKeys("event_name", "unique_id")}, "CC-Queue")
	for header, want := range map[string]bool{
		"Unique-ID": true, "unique_id": true, "UNIQUE-id": true, "Unique.-ID": true, "Name": true, "cc-queue": true, "API-Command": true,
		"Event-Subclass": true, "Unique-IDs": false, "variable_uuid": false, "": false,
	} {
		if got := needs(header); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
}
