package conferences

import (
	"slices"
	"strings"

	"strowger/system/fusionpbx/replay"
)

// The list of the original's faults calls some of these by a number or by name; "protocol" is docs/protocol.md.

// table has all the differences between the service and the original.
func table() replay.Table {
	return append(replies(), received()...)
}

func replies() replay.Table {
	return replay.Table{
		{Number: "A15", Reason: "conferences of two domains with the same extension have names of their own", Match: func(d replay.Difference) bool {
			if d.Kind == replay.Reply {
				return d.Topic == "in_progress" && d.Got == strings.ReplaceAll(d.Want, `"conference_display_name":"Sales Standup"`, `"conference_display_name":"B Standup"`)
			}
			return d.Kind == replay.Push && d.Key == "payload.conference_display_name" && d.Want == `"Sales Standup"` && d.Got == `"B Standup"`
		}},
		{Number: "A2", Reason: "energy and volume are changed; the original asks for the old value and cannot read the answer", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && d.Scenario == "conf-levels" && (strings.Contains(d.Got, " energy 5 ") || strings.Contains(d.Got, " volume_"))
		}},
		{Reason: "the switch is asked for a new member at once, so that who talks and who has the floor is of another moment", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Push && d.Topic == "add_member" && d.Key == "payload.member" && still(d.Want) == still(d.Got)
		}},
		{Reason: "the service compares what it knows with the switch when it starts and after each gap", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && d.Got == "api conference json_list"
		}},
		{Reason: "a new member whom the switch does not list yet is looked for once more", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && strings.HasSuffix(d.Got, "' json_list")
		}},
		{Reason: "in_progress has the conferences of the own domain alone", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && d.Topic == "in_progress" && d.Key == "payload" &&
				strings.Contains(d.Want, foreign(d.Client)) && !strings.Contains(d.Got, foreign(d.Client))
		}},
		{Reason: "in_progress of one room without a domain is about the own domain; the original asks for all conferences", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Scenario == "conf-none" && (d.Want == "api conference json_list" || d.Got == "api conference 3001@a.example.com json_list")
		}},
		{Reason: "in_progress needs a permission", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && d.Topic == "in_progress" && d.Client == "nobody" && (d.Key == "status_code" && d.Got == "403" || d.Key == "payload")
		}},
	}
}

func received() replay.Table {
	return replay.Table{
		{Reason: "a push goes to those of its conference's domain and to nobody else, whatever the context of the caller is", Match: func(d replay.Difference) bool {
			if d.Kind != replay.Received || d.Message == nil || !d.Message.IsPush() {
				return false
			}
			own := strings.HasSuffix(d.Message.Get("conference_name"), "@"+domain(d.Client)+`"`)
			return own == (d.Got != "") && (d.Want == "" || d.Want == "null" || !own)
		}},
		{Reason: "in_progress arrives with the conferences of the own domain alone, each by its own name", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Topic == "in_progress" && d.Got != "" && strings.Contains(d.Want, foreign(d.Client)) && !strings.Contains(d.Got, foreign(d.Client))
		}},
		{Reason: "who may see rooms only gets answers; the original router dies of them", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Want == "" && d.Got != "" && d.Got != "refused" && slices.Contains([]string{"user", "userb", "viewer", "viewerb"}, d.Client)
		}},
		{Reason: "who may see no conferences gets refusals; the original router dies of the answers", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Got == "refused" && d.Client == "nobody"
		}},
	}
}

// still removes from a member what changes while people talk.
func still(member string) string {
	for _, key := range []string{"talking", "has_floor"} {
		member = strings.ReplaceAll(member, `"`+key+`":true`, `"`+key+`":false`)
	}
	return member
}

// domain returns the domain of a client.
func domain(client string) string {
	if slices.Contains([]string{"adminb", "userb", "viewerb"}, client) {
		return "b.example.com"
	}
	return "a.example.com"
}

// foreign returns the end of the names of conferences that are not of the client's domain.
func foreign(client string) string {
	if domain(client) == "a.example.com" {
		return `@b.example.com"`
	}
	return `@a.example.com"`
}
