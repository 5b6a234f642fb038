package feed

import (
	"strings"
	"testing"

	"strowger/bench/load"
)

const corpus = "../../testdata/fusionpbx/corpus"

// TestCalls begins calls, holds them and ends them, each under UUIDs and in a domain of its own.
func TestCalls(t *testing.T) {
	f, err := Start(corpus)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	const hold = 30
	created := map[string]bool{}
	domains := map[int]bool{}
	step := func(hold int) bool {
		sent, more := f.Step(hold, load.Mark{Seq: 7})
		if !more {
			return false
		}
		text := string(f.out)
		if !strings.Contains(text, Domain(sent.Domain)) || sent.Domain > 0 && strings.Contains(text, recordedDomain) {
			t.Fatalf("event of %s: %s", Domain(sent.Domain), text)
		}
		if m, _, end, err := load.FindMark(f.out, 0); err != nil || end == 0 || m.Seq != 7 {
			t.Fatalf("no mark in %s", text)
		}
		if sent.Name == "CHANNEL_CREATE" {
			created[readHeaders(f.out[strings.Index(text, "\n\n")+2:])["unique-id"]] = true
			domains[sent.Domain] = true
		}
		return true
	}
	for range 2000 {
		step(hold)
	}
	if n := f.Calls(); n < hold-1 || n > hold {
		t.Errorf("%d calls are up, want %d", n, hold)
	}
	if n := strings.Count(f.answer("show channels as json"), `"uuid":`); n != 2*f.Calls() {
		t.Errorf("%d channels in the list, want %d", n, 2*f.Calls())
	}
	if len(created) < 2*hold || len(domains) != Domains {
		t.Errorf("%d channels in %d domains", len(created), len(domains))
	}
	for step(0) {
	}
	if n := f.Calls(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}
