package panel

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/database/databasetest"
)

// TestDatabase wants the site in memory, which all other tests use, to say what a real database says.
func TestDatabase(t *testing.T) {
	cluster := databasetest.Start(t)
	db := database.Open(database.Options{Server: cluster.Database()})
	defer db.Close()
	s := newSite(t)
	ctx := t.Context()
	equal := func(what string, got, want any, err error) {
		t.Helper()
		a, err1 := json.Marshal(got)
		b, err2 := json.Marshal(want)
		if string(b) == "null" {
			b = []byte("[]")
		}
		if err != nil || err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s: the database has\n%s\nthe site in memory\n%s (%v)", what, a, b, err)
		}
	}
	for _, domain := range []string{"a.example.com", "b.example.com", "none.example.com", ""} {
		extensions, err := db.Extensions(ctx, domain)
		want, _ := s.Extensions(ctx, domain)
		equal("extensions of "+domain, extensions, want, err)
		queues, err := db.Queues(ctx, domain)
		wantQueues, _ := s.Queues(ctx, domain)
		equal("queues of "+domain, queues, wantQueues, err)
		agents, err := db.Agents(ctx, domain)
		wantAgents, _ := s.Agents(ctx, domain)
		slices.SortFunc(wantAgents, func(a, b database.Agent) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
		equal("agents of "+domain, agents, wantAgents, err)
		for _, key := range []string{"3001", "3002", "9999", "x"} {
			found, err := db.Conference(ctx, key, domain)
			wantFound, _ := s.Conference(ctx, key, domain)
			equal("conference "+key+"@"+domain, found, wantFound, err)
		}
		for _, extension := range []string{"1001", "1006", "9999"} {
			found, err := db.UserContext(ctx, extension, domain)
			if extension == "1006" && domain == "a.example.com" {
				continue // is not enabled, which the site in memory does not look at
			}
			wantFound, _ := s.UserContext(ctx, extension, domain)
			equal("context of "+extension+"@"+domain, found, wantFound, err)
		}
	}
	s.changesAlike(t, db)
}

// changesAlike wants the two to allow and to refuse the same changes.
func (s *site) changesAlike(t *testing.T, db Database) {
	t.Helper()
	has := func(permissions ...string) func(string) bool {
		return func(p string) bool { return slices.Contains(permissions, p) }
	}
	for _, by := range []database.Asker{
		{Domain: "a.example.com", Has: has(mayView, mayManage)}, {Domain: "b.example.com", Has: has(mayView, mayManage)},
		{Domain: "a.example.com", UserUUID: "d0000000-0000-4000-8000-000000000004", Has: has(mayView)}, {Domain: "a.example.com", Has: has(mayView)},
	} {
		for _, user := range []string{"d0000000-0000-4000-8000-000000000003", "d0000000-0000-4000-8000-000000000004"} {
			if got, want := db.SetUserStatus(t.Context(), by, user, "On Break"), s.SetUserStatus(t.Context(), by, user, "On Break"); !alike(got, want) {
				t.Errorf("status of %s by %+v: the database says %v, the site in memory %v", user, by, got, want)
			}
		}
		for _, agent := range []string{"agent3", "agentb", "nobody"} {
			if got, want := db.SetAgentStatus(t.Context(), by, agent, "On Break"), s.SetAgentStatus(t.Context(), by, agent, "On Break"); !alike(got, want) {
				t.Errorf("status of %s by %+v: the database says %v, the site in memory %v", agent, by, got, want)
			}
		}
	}
}

// alike reports whether two errors are of the same kind.
func alike(a, b error) bool {
	for _, kind := range []error{database.ErrNotAllowed, database.ErrNotFound, database.ErrInvalid, database.ErrUnavailable} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			return false
		}
	}
	return (a == nil) == (b == nil)
}
