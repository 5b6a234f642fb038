package timing

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"strowger/system/fusionpbx/eventsocket"
)

func TestPause(t *testing.T) {
	other := errors.New("no list")
	var p Pause
	for i, test := range []struct {
		err     error
		reset   bool
		shorten bool
		want    time.Duration
	}{
		{err: other, want: 200 * time.Millisecond},
		{err: other, want: 400 * time.Millisecond},
		{err: fmt.Errorf("ask: %w", eventsocket.ErrNotConnected), want: 200 * time.Millisecond},
		{err: other, want: 800 * time.Millisecond},
		{err: other, want: time.Second},
		{err: other, want: time.Second},
		{err: eventsocket.ErrDisconnected, want: 200 * time.Millisecond},
		{err: other, shorten: true, want: 400 * time.Millisecond},
		{err: other, reset: true, want: 200 * time.Millisecond},
	} {
		if test.shorten {
			p.Shorten()
			if p.First() {
				t.Error("the pause after Shorten is the first")
			}
		}
		if test.reset {
			p.Reset()
			if !p.First() {
				t.Error("the pause after Reset is not the first")
			}
		}
		if got := p.After(test.err, time.Second); got != test.want {
			t.Errorf("pause %d is %s, want %s", i, got, test.want)
		}
	}
	if p.First() {
		t.Error("after a failure there is a first one to come")
	}
}
