package calls

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
)

// edit returns the message of an event with other headers and another body.
func edit(raw []byte, change func(headers []string) []string, body string) []byte {
	_, text, _ := bytes.Cut(raw, []byte("\n\n"))
	head, _, _ := strings.Cut(string(text), "\n\n")
	text = []byte(strings.Join(change(strings.Split(head, "\n")), "\n") + "\n\n" + body)
	return append(fmt.Appendf(nil, "Content-Length: %d\nContent-Type: text/event-plain\n\n", len(text)), text...)
}

func with(more ...string) func([]string) []string {
	return func(headers []string) []string { return append(headers, more...) }
}

// TestTransformed plays recordings in which the switch says the same in other ways. Pages are told the same.
func TestTransformed(t *testing.T) {
	const evil = "Event-Name: CHANNEL_CREATE\nUnique-ID: evil\n\nContent-Length: 5\n"
	tests := map[string]func(n int, raw []byte) []byte{
		"events with bodies": func(_ int, raw []byte) []byte {
			return edit(raw, with(fmt.Sprintf("Content-Length: %d", len(evil))), evil)
		},
		"huge variables": func(n int, raw []byte) []byte {
			return edit(raw, with("variable_huge: "+strings.Repeat("%41", 300_000*(n%2))), "")
		},
		"many variables": func(_ int, raw []byte) []byte {
			return edit(raw, with(strings.Split(strings.TrimSuffix(strings.Repeat("variable_x: y\n", 3000), "\n"), "\n")...), "")
		},
		"gaps in Event-Sequence": func(n int, raw []byte) []byte { return edit(raw, with(fmt.Sprintf("Event-Sequence: %d", n*n)), "") },
		"lines that are no headers": func(_ int, raw []byte) []byte {
			return edit(raw, with("no colon", ": no name", "Empty:"), "")
		},
		"masquerade": func(_ int, raw []byte) []byte {
			return edit(raw, with("Other-Type: originatee", "variable_uuid: "+nowhere, "Channel-Call-UUID: "+nowhere, "Old-Unique-ID: "+nowhere), "")
		},
		"line ends as on Windows": func(_ int, raw []byte) []byte {
			return edit(raw, func(headers []string) []string {
				for i := 1; i < len(headers); i++ { // the simulator filters by the first
					headers[i] += "\r"
				}
				return headers
			}, "")
		},
	}
	for _, recording := range []string{"panel-transfer-attended", "calls-valet"} {
		s := load(t, recording)
		want := said(replay.Play(t, s, replay.Options{}, plain))
		for name, change := range tests {
			t.Run(recording+"/"+name, func(t *testing.T) {
				n := 0
				r := replay.Play(t, s, replay.Options{Faults: switchsim.Faults{Mangle: func(raw []byte) []byte { n++; return change(n, raw) }}}, plain)
				if got := said(r); got != want {
					t.Errorf("the service says\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestTwice has the switch send each event twice. Pages are told each twice, and are right in the end.
func TestTwice(t *testing.T) {
	s := load(t, "panel-transfer-attended")
	once := strings.SplitAfter(said(replay.Play(t, s, replay.Options{}, plain)), "\n")
	twin := *s.Recording
	twin.Events = nil
	for _, e := range s.Recording.Events {
		twin.Events = append(twin.Events, e, e)
	}
	whole := historyOf(t, s.Recording)
	s.Recording = &twin
	r := replay.Play(t, s, replay.Options{}, plain)
	twice := strings.SplitAfter(said(r), "\n")
	var want []string
	for _, line := range once[:len(once)-1] {
		want = append(want, line, line)
	}
	if got := twice[:len(twice)-1]; !slices.Equal(got, want) {
		t.Errorf("the service says\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
	wantPage(t, r, whole, time.Hour)
}

// TestBegunBefore starts to listen in the middle of calls. Pages are told nothing but the events, and all of those that
// come; a call that ends reaches those who see it although no event has said before whose it is.
func TestBegunBefore(t *testing.T) {
	for _, name := range []string{"calls-answered-caller-hangs", "panel-transfer-attended", "calls-two-domains"} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			whole := *s.Recording
			for n := 3; n < len(whole.Events); n += 4 {
				rest := whole
				rest.Events = whole.Events[n:]
				s.Recording = &rest
				r := replay.Play(t, s, replay.Options{}, plain)
				pushes := slices.DeleteFunc(slices.Clone(r.Said), func(m replay.Message) bool { return !m.IsPush() })
				if len(pushes) != len(rest.Events) {
					t.Errorf("from event %d on: %d messages, want %d", n, len(pushes), len(rest.Events))
				}
				for _, m := range pushes {
					if m.Topic == callState && m.Get("caller_context") == "" {
						t.Errorf("from event %d on: nobody knows whose %s is", n, m.Payload)
					}
				}
			}
		})
	}
}
