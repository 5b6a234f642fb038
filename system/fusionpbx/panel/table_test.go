package panel

import (
	"encoding/json"
	"slices"
	"strings"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/replay"
)

// The list of the original's faults calls some of these by a number or by name; "protocol" is docs/protocol.md.

// table has all the differences between the service and the original.
func table() replay.Table { return slices.Concat(replies(), commands(), received()) }

func replies() replay.Table {
	return replay.Table{
		{Number: "A8", Reason: "parked calls say since when they wait", Match: func(d replay.Difference) bool {
			return d.Topic == "parked_active" && without(d.Want, "caller_channel_created_time") == without(d.Got, "caller_channel_created_time")
		}},
		{Number: "A15", Reason: "a conference of one domain is not called like that of another in lists either", Match: func(d replay.Difference) bool {
			return d.Topic == "conferences_active" && strings.ReplaceAll(d.Want, "Sales Standup", "B Standup") == d.Got
		}},
		{Number: "A15", Reason: "the conference 3001 of one domain is not called like that of another", Match: func(d replay.Difference) bool {
			return d.Key == "payload.conference_display_name" && d.Want == `"Sales Standup"` && d.Got == `"B Standup"`
		}},
		{Reason: "the domain that a request names counts for nothing: the answer is about the asker's", Match: func(d replay.Difference) bool {
			return d.Topic == "conferences_active" && d.Client == "adminb" && strings.Contains(d.Want, "@a.example.com") && strings.Contains(d.Got, "@b.example.com")
		}},
		{Number: "A1", Reason: "agents have the values of their own columns", Match: func(d replay.Difference) bool {
			return (d.Topic == "agents_active" || d.Topic == topicStats) && strings.Contains(d.Want, `"status":"single_box"`) && strings.Contains(d.Got, `"agent_name":"`)
		}},
		{Number: "A1", Reason: "agents who are available are counted", Match: func(d replay.Difference) bool {
			return d.Topic == "agents_active" && (d.Key == "payload.queue_counts" || strings.Contains(d.Want, `"queue_counts"`))
		}},
		{Reason: "statistics of agents reach their own domain only", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Topic == topicStats && d.Got == ""
		}},
		{Reason: "statistics are pushed for each domain; their timer has another phase", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Push && d.Topic == topicStats && (d.Want == "" || d.Got == "")
		}},
		{Number: "C1", Reason: "a call that did not come about is no success", Match: func(d replay.Difference) bool {
			return d.Scenario == "panel-originate" && d.Topic == "action" && d.Message.Get("fs_response") == `"-ERR USER_NOT_REGISTERED\n"`
		}},
		{Reason: "nobody can listen to a call that the switch does not have, so that is no success", Match: func(d replay.Difference) bool {
			return d.Scenario == "panel-monitor" && d.Topic == "action" && d.Message.Get("message") == `"No such channel"`
		}},
		{Reason: "calls_active has no row of nothing when there are no calls (phantom row)", Match: func(d replay.Difference) bool {
			return d.Topic == "calls_active" && strings.Contains(d.Want, `"unique_id":""`) && d.Got == "[]"
		}},
	}
}

func commands() replay.Table {
	is := func(text string, commands ...string) bool {
		return slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(text, "api "+c) })
	}
	return replay.Table{
		{Number: "A4", Reason: "a recording is ended by a command that the switch understands", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && (strings.HasSuffix(d.Want, " stop") || strings.HasSuffix(d.Got, " stop all"))
		}},
		{Number: "A2", Reason: "the level that was asked for is set", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && is(d.Got, "conference '3001@a.example.com' energy 6 ", "conference '3001@a.example.com' volume_")
		}},
		{Reason: "statistics are asked for each domain, and their timer has another phase", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && is(d.Got, "callcenter_config queue list agents")
		}},
		{Reason: "for a channel that the switch does not have it gets no command", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Got == "" && strings.HasSuffix(d.Want, "&eavesdrop(ffffffff-0000-4000-8000-000000000000)")
		}},
		{Reason: "the service compares what it knows with the switch when it starts and after each gap", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && is(d.Got, "show registrations as json", "show channels as json", "conference json_list")
		}},
		{Reason: "what the service knows from events it does not ask", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Got == "" && is(d.Want, "uuid_getvar")
		}},
		{Reason: "what several ask for is asked once", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Got == "" && is(d.Want, "show registrations as json", "show channels as json", "callcenter_config queue list agents", "uuid_buglist")
		}},
	}
}

// without returns the JSON of a list of objects without a key, with the keys in order.
func without(text, key string) string {
	var list []map[string]any
	if json.Unmarshal([]byte(text), &list) != nil {
		return text
	}
	for _, object := range list {
		delete(object, key)
	}
	rest, err := json.Marshal(list)
	if err != nil {
		return text
	}
	return string(rest)
}

func received() replay.Table {
	is := func(d replay.Difference, clients ...string) bool {
		return d.Kind == replay.Received && slices.Contains(clients, d.Client)
	}
	return replay.Table{
		{Reason: "what is not for a client is not sent, rather than with a payload of null (protocol 11.18)", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Want == "null" && d.Got == ""
		}},
		{Reason: "legs of the context default, which all domains share, reach only those whose extension it is", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Got == "" && d.Message.Get("caller_context") == `"default"`
		}},
		{Reason: "registrations reach the own domain only", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Topic == topicRegistration && d.Got == "" && d.Message.Get("domain_name") != `"`+domainOf(d.Client)+`"`
		}},
		{Reason: "a new member is as the switch says at that moment; the original asks later", Match: func(d replay.Difference) bool {
			return d.Topic == conference.Add && (d.Key == "payload.member" || d.Key == "payload.member_count") || d.Kind == replay.Received && d.Topic == conference.Add && d.Got != ""
		}},
		{Reason: "without operator_panel_view nobody sees anything of the panel", Match: func(d replay.Difference) bool {
			return is(d, "nobody", "user", "userb", "viewer") && d.Got == ""
		}},
	}
}

func domainOf(client string) string {
	if strings.HasSuffix(client, "b") {
		return "b.example.com"
	}
	return "a.example.com"
}
