package calls

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
		{Reason: "in.progress tells the true state of answered calls; the original calls all of them ringing", Match: func(d replay.Difference) bool {
			return isRow(d) && (d.Key == "payload.answer_state" && d.Want == `"ringing"` && d.Got == `"answered"` ||
				d.Key == "payload.channel_call_state" && d.Want == `"RINGING"` && d.Message.Get("answer_state") == `"answered"`)
		}},
		{Reason: "rows of in.progress say whose extension it is, so that they reach only those who see it (protocol 11.6)", Match: func(d replay.Difference) bool {
			return isRow(d) && d.Key == "payload.channel_presence_id" && d.Want == ""
		}},
		{Reason: "keys that the asker has no permission for are removed by the policy, not by the service", Match: func(d replay.Difference) bool {
			return isRow(d) && d.Want == "" && slices.Contains(ruled(), strings.TrimPrefix(d.Key, "payload."))
		}},
		{Reason: "in.progress rows of foreign domains (before the filter) are not sent", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && d.Topic == "in.progress" && d.Key == "" && d.Got == "" && !strings.Contains(d.Want, `"caller_context":"`+domain(d.Client)+`"`)
		}},
		{Reason: "answers carry both ids, so that they reach the asker (protocol 11.17)", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && d.Key == "resource_id" && d.Want == `""`
		}},
		{Reason: "answers to actions say ok", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && isAction(d.Topic) && d.Key == "status_string" && d.Got == `"ok"`
		}},
		{Reason: "refusals say why", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Reply && d.Key == "payload" && d.Want == "null" && strings.HasPrefix(d.Got, `{"reason":`)
		}},
		{Reason: "a topic that nobody handles is answered with 404; the original says nothing", Match: func(d replay.Difference) bool {
			return (d.Topic == "nonsense" || d.Topic == "IN.PROGRESS") && d.Kind == replay.Reply && d.Want == "" && d.Message.Topic == d.Topic
		}},
		{Reason: "for a channel that the switch does not list the service says what the switch would, and sends no command", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "api uuid_kill ffffffff-0000-4000-8000-000000000000" && d.Got == ""
		}},
		{Reason: "the service compares what it knows with the switch when it starts and after each gap", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Command && d.Want == "" && d.Got == "api show channels as json"
		}},
	}
}

func received() replay.Table {
	is := func(d replay.Difference, clients ...string) bool {
		return d.Kind == replay.Received && slices.Contains(clients, d.Client)
	}
	return replay.Table{
		{Reason: "what is not for a client is not sent, rather than with a payload of null (protocol 11.18)", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Want == "null" && d.Got == ""
		}},
		{Reason: "without call_active_view nobody sees a call (protocol 11.6)", Match: func(d replay.Difference) bool {
			return is(d, "nobody", "panelist", "user", "userb") && d.Got == ""
		}},
		{Reason: "who sees the own extensions only does not see calls that are of no extension (protocol 11.6)", Match: func(d replay.Difference) bool {
			return is(d, "viewer", "viewerb") && d.Got == "" && d.Message.Get("channel_presence_id") == ""
		}},
		{Reason: "rows of in.progress without an extension reached all who see the own extensions only (protocol 11.6)", Match: func(d replay.Difference) bool {
			return is(d, "viewer", "viewerb") && d.Got == "" && d.Topic == "CHANNEL_CALLSTATE" && !d.Message.IsPush()
		}},
		{Reason: "rows of in.progress say whose extension it is to those who may see that", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && d.Got == d.Want+" channel_presence_id" && !d.Message.IsPush()
		}},
		{Reason: "answers to actions reach the asker (protocol 11.17)", Match: func(d replay.Difference) bool {
			return d.Kind == replay.Received && isAction(d.Topic) && d.Want == "" && d.Got != ""
		}},
	}
}

func isAction(topic string) bool { return topic == "hangup" || topic == "eavesdrop" }

// isRow reports whether the difference is in a row of in.progress.
func isRow(d replay.Difference) bool {
	return d.Kind == replay.Reply && d.Topic == "in.progress" && d.Message != nil && d.Message.Topic == "CHANNEL_CALLSTATE"
}

// ruled are the keys that need a permission.
func ruled() []string {
	return []string{"channel_read_codec_name", "channel_read_codec_rate", "channel_write_codec_name", "channel_write_codec_rate",
		"caller_channel_name", "secure", "application", "application_name", "application_data", "call_direction", "caller_context"}
}

func domain(client string) string {
	if strings.HasSuffix(client, "b") {
		return "b.example.com"
	}
	return "a.example.com"
}
