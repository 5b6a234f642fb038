package demo

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// fair returns numbers that are random, but the same in each run.
func fair(seed uint64) func() float64 { return rand.New(rand.NewPCG(seed, 1)).Float64 }

var began = time.Unix(1_800_000_000, 0)

// TestCallsLiveAndEnd lets the switch run for an hour and follows each call.
func TestCallsLiveAndEnd(t *testing.T) {
	x := newExchange(fair(1), began)
	followed := map[string]string{} // id: the events so far
	for _, ch := range x.channels() {
		followed[ch.UniqueID] = "CHANNEL_CREATE:ringing CHANNEL_CALLSTATE:ringing CHANNEL_CALLSTATE:answered CHANNEL_EXECUTE:answered "
	}
	if len(followed) != 2*opening {
		t.Errorf("%d calls when the show begins, want %d", len(followed), 2*opening)
	}
	beats := 0
	for now := began.Add(step); now.Before(began.Add(time.Hour)); now = now.Add(step) {
		for _, e := range x.advance(now) {
			ch, ok := e.payload.(channel)
			if !ok {
				beats++
				continue
			}
			if ch.EventName != e.name {
				t.Fatalf("event %s has event_name %s", e.name, ch.EventName)
			}
			followed[ch.UniqueID] += e.name + ":" + ch.AnswerState + " "
		}
		if n := len(x.calls); n > 2*mostCalls {
			t.Fatalf("%d calls at once", n)
		}
	}
	if beats != int(time.Hour/heartbeat)-1 {
		t.Errorf("%d heartbeats in an hour", beats)
	}
	checkLives(t, x, followed)
}

// checkLives wants each call to have gone its way, and those that are over to be forgotten.
func checkLives(t *testing.T, x *exchange, followed map[string]string) {
	t.Helper()
	const (
		ring   = "CHANNEL_CREATE:ringing CHANNEL_CALLSTATE:ringing "
		talk   = "CHANNEL_CALLSTATE:answered CHANNEL_EXECUTE:answered "
		hangup = "CHANNEL_CALLSTATE:hangup CHANNEL_DESTROY:hangup "
	)
	live := map[string]bool{}
	for _, ch := range x.channels() {
		live[ch.UniqueID] = true
	}
	ends := map[string]int{}
	for id, events := range followed {
		ends[events]++
		if over := strings.HasSuffix(events, hangup); over == live[id] {
			t.Errorf("call %s is live: %v, after %s", id, live[id], events)
		}
	}
	for _, way := range []string{ring + talk + hangup, ring + hangup} {
		if ends[way] < 50 {
			t.Errorf("%d calls went %s", ends[way], way)
		}
		delete(ends, way)
	}
	for way := range ends {
		if way != ring && way != ring+talk {
			t.Errorf("a call went %s", way)
		}
	}
}

// TestLateAdvance has nobody look for a long time: every call goes all its way, in order.
func TestLateAdvance(t *testing.T) {
	x := newExchange(fair(2), began)
	before := map[string]bool{}
	for _, ch := range x.channels() {
		before[ch.UniqueID] = true
	}
	ended := map[string]bool{}
	for _, e := range x.advance(began.Add(time.Hour)) {
		if ch, ok := e.payload.(channel); ok && e.name == destroyed {
			ended[ch.UniqueID] = true
		}
	}
	for id := range before {
		if !ended[id] {
			t.Errorf("call %s lives on", id)
		}
	}
	// The switch was not idle meanwhile.
	if n := len(x.channels()); n < opening {
		t.Errorf("%d calls after an hour", n)
	}
}

func TestHangup(t *testing.T) {
	x := newExchange(fair(3), began)
	id := x.channels()[0].UniqueID
	yes, no := func(*channel) bool { return true }, func(*channel) bool { return false }
	if x.hangup("ffffffff-ffff-4fff-8fff-ffffffffffff", yes) || x.hangup(id, no) {
		t.Error("ended what does not exist, or must not")
	}
	if !x.hangup(id, yes) {
		t.Error("did not end a call")
	}
	var names []string
	for _, e := range x.advance(began.Add(step)) {
		if ch, ok := e.payload.(channel); ok && ch.UniqueID == id {
			names = append(names, e.name+":"+ch.AnswerState)
		}
	}
	if want := []string{callState + ":hangup", destroyed + ":hangup"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// TestChannelHasKnownKeys wants every key to be one that the policy lets through, and each caller to
// be of the tenant that the call belongs to.
func TestChannelHasKnownKeys(t *testing.T) {
	p := callsPolicy()
	for _, ch := range newExchange(fair(4), began).channels() {
		data, err := json.Marshal(ch)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		for key := range fields {
			if !slices.Contains(p.Keys, key) {
				t.Errorf("%s is no key of the policy", key)
			}
		}
		if !uuidPattern.MatchString(ch.UniqueID) {
			t.Errorf("%s is no UUID", ch.UniqueID)
		}
		if _, domain, _ := strings.Cut(ch.ChannelPresenceID, "@"); domain != ch.CallerContext {
			t.Errorf("%s is a call of %s", ch.ChannelPresenceID, ch.CallerContext)
		}
		if ch.CallerIDNumber == ch.DestinationNumber {
			t.Errorf("%s calls himself", ch.CallerIDName)
		}
	}
}
