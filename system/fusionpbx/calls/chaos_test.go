package calls

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// soon is how long a page may be wrong.
const soon = time.Second

// TestSwitchVanishes has the switch go in the middle of each event, and come back after a while. The page is right again
// within a second, also in the calls that began, were answered or ended meanwhile.
func TestSwitchVanishes(t *testing.T) {
	for gone, names := range map[time.Duration][]string{time.Millisecond: scenarios()[:1], 700 * time.Millisecond: scenarios()} {
		t.Run(gone.String(), func(t *testing.T) {
			each(t, names, func(t *testing.T, s *replay.Scenario, whole history, n int) {
				s.Recording = outage(whole.recording, n, gone)
				r := replay.Play(t, s, replay.Options{}, plain)
				// The client tries again after 200, 400 and 800 ms.
				wantPage(t, r, whole, whole.recording.Events[n].At+gone+800*time.Millisecond+soon)
				wantPage(t, r, whole, time.Hour)
			})
		})
	}
}

// TestPanics has the service panic at each event, before and after it has told pages. The page is right again within a
// second.
func TestPanics(t *testing.T) {
	for when, names := range map[string][]string{"before": scenarios(), "after": scenarios()[:2]} {
		t.Run(when, func(t *testing.T) {
			each(t, names, func(t *testing.T, s *replay.Scenario, whole history, n int) {
				seen := 0
				hook := func(string) {
					if seen++; seen == n+1 {
						panic("at an event")
					}
				}
				r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
					o := Options{Events: sw.Events, Commands: sw.Commands}
					if when == "before" {
						o.before = hook
					} else {
						o.after = hook
					}
					return New(o)
				})
				wantPage(t, r, whole, whole.recording.Events[n].At+soon)
				wantPage(t, r, whole, time.Hour)
			})
		})
	}
}

// TestPanicsAtAKind has the service panic at each event of one kind, for as long as its breaker lets it. The page is
// right when that is over.
func TestPanicsAtAKind(t *testing.T) {
	for _, kind := range events() {
		t.Run(kind, func(t *testing.T) {
			s := load(t, "calls-answered-caller-hangs")
			r := replay.Play(t, s, replay.Options{After: 3 * time.Minute}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, before: func(name string) {
					if name == kind {
						panic("at an event")
					}
				}})
			})
			wantPage(t, r, historyOf(t, s.Recording), time.Hour)
		})
	}
}

// TestStall has the switch stop in the middle of each event and say nothing more. The client leaves it, and the page is
// told what has become of the calls.
func TestStall(t *testing.T) {
	for _, name := range scenarios() {
		s := load(t, name)
		whole := historyOf(t, s.Recording)
		for n := 1; n <= len(s.Recording.Events); n += 5 {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				r := replay.Play(t, s, replay.Options{After: 2 * time.Minute, Faults: switchsim.Faults{StallAt: n}}, plain)
				wantPage(t, r, whole, time.Hour)
			})
		}
	}
}

// TestOddEvents has the switch send what no switch should. Nothing is lost where the event can be read, and the page is
// right where it cannot.
func TestOddEvents(t *testing.T) {
	tests := map[string]struct {
		faults switchsim.Faults
		same   bool // the service says what it says otherwise
	}{
		"length -1":              {switchsim.Faults{Mangle: switchsim.BadLength}, true},
		"inner length -1":        {switchsim.Faults{Mangle: switchsim.BadInnerLength}, true},
		"bad percent codes":      {switchsim.Faults{Mangle: switchsim.BadPercent}, true},
		"Latin-1":                {switchsim.Faults{Mangle: switchsim.Latin1}, true},
		"10 MB head":             {switchsim.Faults{Mangle: switchsim.HugeHead(10 << 20), MangleEvery: 4}, true},
		"10 MB header":           {switchsim.Faults{Mangle: switchsim.HugeHeader(10 << 20), MangleEvery: 4}, false},
		"cut off":                {switchsim.Faults{Mangle: switchsim.Truncate, MangleEvery: 3}, false},
		"in pieces":              {switchsim.Faults{Split: 7, Seed: 1}, true},
		"rubbish at the start":   {switchsim.Faults{Banner: "welcome\n\n\nX: y\n\n"}, true},
		"half an event, dropped": {switchsim.Faults{DropAt: 9}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := load(t, "calls-two-domains")
			normal := replay.Play(t, s, replay.Options{}, plain)
			r := replay.Play(t, s, replay.Options{Faults: test.faults}, plain)
			wantPage(t, r, historyOf(t, s.Recording), time.Hour)
			if test.same && said(r) != said(normal) {
				t.Errorf("the service says\n%s\nwant\n%s", said(r), said(normal))
			}
		})
	}
}

func said(r *replay.Result) string {
	var text strings.Builder
	for _, m := range r.Said {
		if m.IsPush() {
			fmt.Fprintf(&text, "%s %s\n", m.Topic, m.Payload)
		}
	}
	return text.String()
}

// TestNames has callers with odd names, as bytes and in percent codes. The page gets text.
func TestNames(t *testing.T) {
	tests := map[string]struct{ sent, want string }{
		"Latin-1 in percent codes": {"Zo%EB%20M%FCller", "Zoë Müller"},
		"Latin-1 as bytes":         {"Zo\xeb M\xfcller", "Zoë Müller"},
		"UTF-8":                    {url.PathEscape("Zoë Müller"), "Zoë Müller"},
		"both":                     {"%C3%AB%EB", "ëë"},
		"no percent code":          {"100%", "100%"},
		"half a percent code":      {"%4", "%4"},
		"line ends":                {"a%0Ab%0D", "a\nb\r"},
		"a plus sign":              {"%2B49%20171", "+49 171"},
		"quotes":                   {"%22%5C%27", `"\'`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := load(t, "calls-busy")
			rename := func(raw []byte) []byte {
				var lines []string
				_, body, _ := strings.Cut(string(raw), "\n\n")
				for line := range strings.SplitSeq(body, "\n") {
					if strings.HasPrefix(line, "Caller-Caller-ID-Name:") {
						line = "Caller-Caller-ID-Name: " + test.sent
					}
					lines = append(lines, line)
				}
				body = strings.Join(lines, "\n")
				return fmt.Appendf(nil, "Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
			}
			r := replay.Play(t, s, replay.Options{Faults: switchsim.Faults{Mangle: rename}}, plain)
			found := 0
			for _, m := range r.Said {
				if name := m.Get("caller_caller_id_name"); name != "" {
					found++
					if want := jsonText(t, test.want); name != want {
						t.Errorf("name %s, want %s", name, want)
					}
				}
			}
			if found == 0 {
				t.Error("no event has a name")
			}
		})
	}
}
