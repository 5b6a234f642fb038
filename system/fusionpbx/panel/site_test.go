package panel

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"strowger/system/fusionpbx/database"
)

const testdata = "../../../testdata/fusionpbx"

// site is the database of the recorded site, in memory. It never waits, so that it can be used in a bubble of
// testing/synctest.
type site struct {
	tables  map[string][]row
	down    error // what every query returns; nil: an answer
	changes []string
}

// row is a row of a table. A column that is null is not there.
type row map[string]string

func newSite(t testing.TB) *site {
	t.Helper()
	text, err := os.ReadFile(testdata + "/db/site.sql")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{tables: map[string][]row{}}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "insert into ")
		if !ok {
			continue
		}
		table, rest, _ := strings.Cut(rest, " (")
		columns, rest, _ := strings.Cut(rest, ") values (")
		r := row{}
		names := strings.Split(columns, ",")
		for i, value := range values(strings.TrimSuffix(strings.TrimSpace(rest), ");")) {
			if value != nil {
				r[names[i]] = *value
			}
		}
		s.tables[table] = append(s.tables[table], r)
	}
	return s
}

// values splits the values of an insert. Nil is null.
func values(text string) []*string {
	var found []*string
	for text != "" {
		if quoted, ok := strings.CutPrefix(text, "'"); ok {
			end := 0
			for quoted[end] != '\'' || strings.HasPrefix(quoted[end:], "''") {
				if quoted[end] == '\'' {
					end++
				}
				end++
			}
			value := strings.ReplaceAll(quoted[:end], "''", "'")
			found, text = append(found, &value), strings.TrimPrefix(quoted[end+1:], ",")
			continue
		}
		value, rest, _ := strings.Cut(text, ",")
		text = rest
		if value == "NULL" {
			found = append(found, nil)
			continue
		}
		found = append(found, &value)
	}
	return found
}

// of returns the rows of a table that are of a domain.
func (s *site) of(table, domain string) []row {
	var uuid string
	for _, d := range s.tables["v_domains"] {
		if d["domain_name"] == domain {
			uuid = d["domain_uuid"]
		}
	}
	return s.where(s.tables[table], "domain_uuid", uuid)
}

func (s *site) where(rows []row, column, value string) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r[column] != value })
}

func (r row) null(column string) *string {
	if value, ok := r[column]; ok {
		return &value
	}
	return nil
}

func (s *site) Extensions(_ context.Context, domain string) ([]database.Extension, error) {
	var found []database.Extension
	for _, r := range s.of("v_extensions", domain) {
		if r["enabled"] != "true" {
			continue
		}
		e := database.Extension{
			UUID: r["extension_uuid"], Number: r["extension"], CallerIDName: r.null("effective_caller_id_name"),
			CallerIDNumber: r.null("effective_caller_id_number"), Description: r.null("description"), CallGroup: r.null("call_group"),
			UserContext: r.null("user_context"), Enabled: true, VoicemailEnabled: "false",
		}
		if dnd, ok := r["do_not_disturb"]; ok {
			yes := dnd == "true"
			e.DoNotDisturb = &yes
		}
		for _, v := range s.where(s.of("v_voicemails", domain), "voicemail_id", e.Number) {
			if v["voicemail_enabled"] == "true" {
				e.VoicemailEnabled = "true"
			}
		}
		for _, of := range s.where(s.tables["v_extension_users"], "extension_uuid", e.UUID) {
			user := s.where(s.tables["v_users"], "user_uuid", of["user_uuid"])[0]
			e.UserUUID, e.UserStatus = user.null("user_uuid"), user["user_status"]
			for _, a := range s.where(s.tables["v_contact_attachments"], "contact_uuid", user["contact_uuid"]) {
				if a["attachment_primary"] == "true" {
					e.ContactImage = a.null("contact_attachment_uuid")
				}
			}
		}
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b database.Extension) int {
		return cmp.Or(cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number))
	})
	return found, s.down
}

func (s *site) UserContext(_ context.Context, extension, domain string) (string, error) {
	for _, r := range s.where(s.of("v_extensions", domain), "extension", extension) {
		return r["user_context"], s.down
	}
	return "", s.down
}

func (s *site) Queues(_ context.Context, domain string) ([]database.Queue, error) {
	var found []database.Queue
	for _, r := range s.of("v_call_center_queues", domain) {
		found = append(found, database.Queue{UUID: r["call_center_queue_uuid"], Name: r["queue_name"], Extension: r["queue_extension"]})
	}
	slices.SortFunc(found, func(a, b database.Queue) int { return cmp.Compare(a.Extension, b.Extension) })
	return found, s.down
}

func (s *site) Agents(_ context.Context, domain string) ([]database.Agent, error) {
	var found []database.Agent
	for _, r := range s.of("v_call_center_agents", domain) {
		a := database.Agent{UUID: r["call_center_agent_uuid"], Name: r["agent_name"], UserUUID: r["user_uuid"], Status: r["agent_status"]}
		for _, other := range s.where(s.tables["v_call_center_agents"], "agent_name", a.Name) {
			a.Shared = a.Shared || other["domain_uuid"] != r["domain_uuid"]
		}
		found = append(found, a)
	}
	return found, s.down
}

func (s *site) Conference(_ context.Context, key, domain string) (database.Conference, error) {
	for _, r := range s.where(s.of("v_conference_rooms", domain), "conference_room_uuid", key) {
		return database.Conference{Name: r["conference_room_name"], Exists: true}, s.down
	}
	for _, r := range s.where(s.of("v_conferences", domain), "conference_extension", key) {
		return database.Conference{Name: r["conference_name"], Exists: true}, s.down
	}
	return database.Conference{Name: key}, s.down
}

// CachedConference always lets the service ask.
func (s *site) CachedConference(key, _ string) (database.Conference, bool) {
	return database.Conference{Name: key}, false
}

func (s *site) SetUserStatus(_ context.Context, by database.Asker, user, status string) error {
	switch {
	case s.down != nil:
		return s.down
	case !by.Has(mayManage) && user != by.UserUUID:
		return database.ErrNotAllowed
	case len(s.where(s.of("v_users", by.Domain), "user_uuid", user)) == 0:
		return database.ErrNotFound
	}
	s.changes = append(s.changes, user+" "+status)
	return nil
}

func (s *site) SetAgentStatus(_ context.Context, by database.Asker, agent, status string) error {
	switch {
	case s.down != nil:
		return s.down
	case !by.Has(mayManage):
		return database.ErrNotAllowed
	case len(s.where(s.of("v_call_center_agents", by.Domain), "agent_name", agent)) == 0:
		return database.ErrNotFound
	}
	s.changes = append(s.changes, agent+" "+status)
	return nil
}
