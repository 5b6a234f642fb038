package calls

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
)

// hardSeeds is how many recordings TestHard makes. STROWGER_HARD_SEEDS asks for another number.
const hardSeeds = 60

// TestHard plays recordings that end in the middle and in which events have changed places, come twice, lack a header or are
// unknown, in which the connection is cut, and which come in pieces. A minute later the page of each tenant shows the calls that
// its calls are, and no others.
func TestHard(t *testing.T) {
	names := []string{"calls-two-domains", "calls-inbound-transfer", "calls-valet", "panel-transfer-attended", "panel-transfer-blind", "calls-burst10", "panel-default-context", "calls-hold"}
	seeds := hardSeeds
	if n, err := strconv.Atoi(os.Getenv("STROWGER_HARD_SEEDS")); err == nil {
		seeds = n
	}
	loaded := map[string]*replay.Scenario{}
	for seed := range seeds {
		name := names[seed%len(names)]
		t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
			if loaded[name] == nil {
				loaded[name] = load(t, name)
			}
			s := *loaded[name]
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			end := 1 + random.IntN(len(s.Recording.Events))
			at := s.Recording.Events[end-1].At
			for end < len(s.Recording.Events) && s.Recording.Events[end].At == at {
				end++
			}
			hard := *s.Recording
			hard.Events = harder(slices.Clone(s.Recording.Events[:end]), random)
			s.Recording = &hard
			o := replay.Options{After: 70 * time.Second, Faults: switchsim.Faults{Split: random.IntN(2) * 50, Seed: uint64(seed)}}
			const grace = 60 * time.Millisecond // the recording answers with what comes that soon
			o.Faults.Answer = func(command string) (string, bool) { return hard.Answer(command, min(time.Since(s.Start), at)-grace) }
			r := replay.Play(t, &s, o, plain)
			truth := listed(t, hard, at-grace)
			for client, domain := range map[string]string{"super": "", "admin": "a.example.com", "adminb": "b.example.com"} {
				want := page{}
				for uuid, call := range truth {
					if domain == "" || call.context == domain {
						want[uuid] = call
					}
				}
				if got := pageOf(t, r, client); got != shorten(want.String()) {
					t.Errorf("%s sees\n%s\nwant\n%s", client, got, want)
				}
			}
		})
	}
}

// listed returns what a page shows that shows what the switch lists at that time.
func listed(t *testing.T, of switchsim.Recording, at time.Duration) page {
	t.Helper()
	var list struct {
		Rows []channels.Row `json:"rows"`
	}
	text, _ := of.Answer("show channels as json", at)
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	p := page{}
	for i := range list.Rows {
		r := &list.Rows[i]
		answer, _ := r.States()
		p.apply(callState, r.UUID, answer, r.Context)
	}
	return p
}

// harder returns events that are harder to understand.
func harder(events []switchsim.Event, random *rand.Rand) []switchsim.Event {
	droppable := []string{"Unique-ID", "Answer-State", "Channel-Call-State", "Caller-Context", "Channel-Presence-ID", "Call-Direction"}
	var hard []switchsim.Event
	for i, e := range events {
		if i+1 < len(events) && random.IntN(8) == 0 { // the switch sends them from several threads
			events[i+1].At, e.At = e.At, events[i+1].At
			e, events[i+1] = events[i+1], e
		}
		switch random.IntN(12) {
		case 0:
			hard = append(hard, e)
		case 1:
			e.Raw = edit(e.Raw, without(droppable[random.IntN(len(droppable))]), "")
		case 2:
			unknown := e
			unknown.Raw = edit(e.Raw, without("Event-Name"), "")
			hard = append(hard, unknown)
		case 3:
			if random.IntN(4) == 0 {
				hard = append(hard, switchsim.Event{At: e.At, Cut: time.Duration(1+random.IntN(3000)) * time.Millisecond})
			}
		}
		hard = append(hard, e)
	}
	slices.SortStableFunc(hard, func(a, b switchsim.Event) int { return int(a.At - b.At) })
	return hard
}

// without removes a header.
func without(header string) func([]string) []string {
	return func(headers []string) []string {
		return slices.DeleteFunc(headers, func(line string) bool { return strings.HasPrefix(line, header+":") })
	}
}

func shorten(text string) string { return strings.ReplaceAll(text, "-0000-4000-8000-000000000001", "") }
