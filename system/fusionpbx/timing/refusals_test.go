package timing_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// TestRefusals refuses pages every 70 ms for half a minute, then once after a rest, and twice before a cancellation.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		h := servicetest.Start(t, &service.Service{Name: "refusals", Setup: func(s service.Setup) error {
			begin := s.Now()
			r := timing.Refusals{Tell: func() { told = append(told, fmt.Sprint(s.Now().Sub(begin))) }}
			flood := s.Every(70*time.Millisecond, func(service.Context) { r.Add(s) })
			s.After(30*time.Second+time.Millisecond, func(service.Context) { flood.Stop() })
			s.After(50*time.Second, func(service.Context) { r.Rest(); r.Add(s) })
			s.After(51*time.Second, func(service.Context) {
				r.Add(s)
				if !r.Cancel() || r.Cancel() {
					t.Error("a refusal was not cancelled once")
				}
				r.Add(s)
				r.Rest()
				r.Add(s)
			})
			return nil
		}}, servicetest.Options{})
		time.Sleep(time.Minute)
		synctest.Wait()
		h.Stop(t)
		want := []string{"270ms", "680ms", "1.5s", "3.14s", "6.35s", "12.77s", "22.81s", "32.82s", "50.2s", "51.2s"}
		if !slices.Equal(told, want) {
			t.Errorf("told after %q, want %q", told, want)
		}
	})
}
