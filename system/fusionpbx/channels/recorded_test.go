package channels

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

const corpus = "../../../testdata/fusionpbx/corpus"

// recordings returns the names of all recordings.
func recordings(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(os.DirFS(corpus), ".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func load(t testing.TB, name string) *switchsim.Recording {
	t.Helper()
	r, err := switchsim.Load(os.DirFS(corpus), name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told returns what pages are told of an event.
func told(t testing.TB, keys *event.Keys, e switchsim.Event) event.Payload {
	t.Helper()
	_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
	parsed, err := eventsocket.ParseEvent(body)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Payload(parsed)
}

func newModel() *model { return &model{channels: map[string]*Channel{}} }

// hear has the model hear of an event as a Watch does.
func (m *model) hear(p event.Payload) *Channel {
	m.complete(&p)
	return m.remember(&p)
}

// String returns the channels with what matters of them, a line each.
func (m *model) String() string {
	var lines []string
	for _, uuid := range slices.Sorted(maps.Keys(m.channels)) {
		ch := m.channels[uuid]
		line := fmt.Sprintf("%.4s %s %s %s", uuid, ch.Get(keyAnswer), ch.Get(keyContext), ch.Get(keyPresence))
		for what, is := range map[string]bool{"hidden": !ch.shown, "ended": ch.ended, "destroyed": ch.destroyed} {
			if is {
				line += " " + what
			}
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// isCall reports whether the event is one that is forwarded about a call.
func isCall(p *event.Payload) bool {
	return p.Get(keyUUID) != "" && (strings.HasPrefix(p.Name(), "CHANNEL_") || strings.HasPrefix(p.Name(), "PLAYBACK_") ||
		p.Name() == "CALL_UPDATE" || p.Name() == "valet_parking::info")
}

// TestRecorded plays all recordings. After each event the model has the channels that the switch has, with the state, the
// context and the extension that the events told last.
func TestRecorded(t *testing.T) {
	keys := event.Calls()
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			m, alive := newModel(), map[string]map[string]string{}
			for n, e := range load(t, name).Events {
				if e.Cut > 0 {
					continue
				}
				p := told(t, keys, e)
				if !isCall(&p) {
					continue
				}
				uuid := p.Get(keyUUID)
				if ch := m.hear(p); ch != nil {
					t.Errorf("event %d: the last event of %s came before its end", n, uuid)
				}
				note(alive, &p)
				if ch := m.channels[uuid]; (ch != nil) != (alive[uuid] != nil) {
					t.Fatalf("event %d, %s of %s: known %t, want %t", n, p.Name(), uuid, ch != nil, alive[uuid] != nil)
				}
				for key, want := range alive[uuid] {
					if got := m.channels[uuid].Get(key); got != want {
						t.Errorf("event %d, %s of %s: %s is %q, want %q", n, p.Name(), uuid, key, got, want)
					}
				}
			}
		})
	}
}

// note keeps what the events told last of each channel, by other means than the model.
func note(alive map[string]map[string]string, p *event.Payload) {
	uuid := p.Get(keyUUID)
	of := alive[uuid]
	switch {
	case p.Name() == destroy:
		delete(alive, uuid)
		return
	case of == nil && p.Get(keyAnswer) == hungUp:
		return
	case of == nil:
		of = map[string]string{}
		alive[uuid] = of
	}
	for _, key := range []string{keyContext, keyPresence, "caller_destination_number"} {
		if value := p.Get(key); value != "" {
			of[key] = value
		}
	}
	if p.Name() == callState {
		of[keyAnswer] = p.Get(keyAnswer)
	}
}

// TestRecordedLists reads all lists of channels that the switch has answered with. The model that has heard of all events up
// to a list does not differ from it, if the switch had no news at about that time.
func TestRecordedLists(t *testing.T) {
	keys, compared := event.Calls(), 0
	for _, name := range recordings(t) {
		r, m, n := load(t, name), newModel(), 0
		for _, l := range lists(t, name) {
			for ; n < len(r.Events) && r.Events[n].At <= l.at; n++ {
				if r.Events[n].Cut > 0 {
					break
				}
				if p := told(t, keys, r.Events[n]); isCall(&p) {
					m.hear(p)
				}
			}
			rows, err := readList(l.text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if busy(r, l.at) {
				continue
			}
			compared++
			w := &Watch{known: m}
			found := w.differences(List{Rows: rows, since: m.events}, false)
			if !found.empty() {
				t.Errorf("%s at %s: %d channels are not in the list, %d rows differ from\n%s", name, l.at, len(found.ended), len(found.rows), m)
			}
		}
	}
	if compared < 30 {
		t.Errorf("%d lists were compared", compared)
	}
}

// busy reports whether the switch has sent events at about that time, or was cut off: it writes its list some time after it
// has sent an event.
func busy(r *switchsim.Recording, at time.Duration) bool {
	const near = 300 * time.Millisecond
	return slices.ContainsFunc(r.Events, func(e switchsim.Event) bool {
		return (e.At-at).Abs() < near || e.Cut > 0 && e.At < at
	})
}

type listed struct {
	at   time.Duration
	text string
}

// lists returns the lists of channels in a recording.
func lists(t *testing.T, name string) []listed {
	t.Helper()
	file, err := os.Open(corpus + "/" + name + "/api.json.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var polled map[string][][2]any
	if err := json.NewDecoder(unzipped).Decode(&polled); err != nil {
		t.Fatal(err)
	}
	var all []listed
	for _, answer := range polled["show channels as json"] {
		all = append(all, listed{time.Duration(answer[0].(float64)) * time.Millisecond, answer[1].(string)})
	}
	return all
}
