package system

import "testing"

// A service pushes to one of those that asked it, over real connections: nobody else gets the message, and
// the asker does not get its own id (protocol 5.4).
func TestPushToOneAsker(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg)
	svc := join(t, s, remote("remote", "remote_service"))
	asker, member := join(t, s, user("a.example", nil)), join(t, s, user("a.example", nil, "remote"))
	asker.sendf(`{"service":"remote","topic":"x","request_id":"1"}`)
	id := svc.asked(`"" remote/x #"1" null`)
	svc.sendf(`{"service":"remote","topic":"x","request_id":"1","resource_id":%q}`, id)
	asker.gets(`"" remote/x #"1" null`)
	svc.sendf(`{"service":"remote","topic":"push","resource_id":%q,"payload":1}`, id)
	svc.sendf(`{"service":"remote","topic":"news","payload":2}`)
	e := asker.next()
	if got, want := e.String(), `"" remote/push #"" 1`; got != want || e.ResourceID != "" {
		t.Errorf("got %s for resource %q, want %s for none", got, e.ResourceID, want)
	}
	member.gets(`"" remote/news #"" 2`)
}
