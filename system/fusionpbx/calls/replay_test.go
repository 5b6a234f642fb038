package calls

import (
	"testing"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

func build(sw replay.Switch) *service.Service {
	return New(Options{Events: sw.Events, Commands: sw.Commands})
}

// TestRecordings compares the service with the original in all recordings.
func TestRecordings(t *testing.T) {
	var found []replay.Difference
	for _, name := range replay.Names(t, testdata, Name) {
		t.Run(name, func(t *testing.T) {
			r := replay.Play(t, replay.Load(t, testdata, name), replay.Options{}, build)
			found = append(found, r.Compare(t)...)
		})
	}
	table().Check(t, found)
}
