package conferences

import (
	"context"
	"encoding/json"
	"testing"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

const testdata = "../../../testdata/fusionpbx"

// site has the names of the site at which the recordings were made.
type site struct{}

func (site) CachedConference(key, _ string) (database.Conference, bool) {
	return database.Conference{Name: key}, false
}

func (site) Conference(_ context.Context, key, domain string) (database.Conference, error) {
	name, ok := map[string]string{
		"3001@a.example.com": "Sales Standup", "3002@a.example.com": "Quiet & <Empty>", "3001@b.example.com": "B Standup",
		"ab000000-0000-4000-8000-00000000c0de@a.example.com": `Board Room Zürich "1"`,
		"ab000000-0000-4000-8000-0000000000bb@b.example.com": "Room of B",
	}[key+"@"+domain]
	if !ok {
		name = key
	}
	return database.Conference{Name: name, Exists: ok}, nil
}

func plain(sw replay.Switch) *service.Service {
	return New(Options{Events: sw.Events, Commands: sw.Commands, Database: site{}})
}

// TestRecordings compares the service with the original in all recordings.
func TestRecordings(t *testing.T) {
	var found []replay.Difference
	for _, name := range replay.Names(t, testdata, Name) {
		t.Run(name, func(t *testing.T) {
			r := replay.Play(t, replay.Load(t, testdata, name), replay.Options{}, plain)
			found = append(found, r.Compare(t)...)
		})
	}
	table().Check(t, found)
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
