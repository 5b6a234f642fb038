package panel

import (
	"testing"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestRecordings compares the service with the original in all recordings.
func TestRecordings(t *testing.T) {
	var found []replay.Difference
	for _, name := range replay.Names(t, testdata, Name) {
		t.Run(name, func(t *testing.T) {
			db := newSite(t)
			r := replay.Play(t, replay.Load(t, testdata, name), replay.Options{}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db})
			})
			found = append(found, r.Compare(t)...)
		})
	}
	table().Check(t, found)
}
