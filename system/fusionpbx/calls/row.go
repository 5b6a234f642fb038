package calls

import (
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/event"
)

// application returns the application of a channel with its argument on one line.
func application(r *channels.Row) string {
	switch {
	case r.ApplicationData == "":
		return r.Application
	case r.Application == "":
		return ":" + r.ApplicationData
	case strings.HasPrefix(r.ApplicationData, r.Application+":"):
		return r.ApplicationData
	}
	return r.Application + ":" + r.ApplicationData
}

// rowPayload returns what a page is told of a channel in the switch's list.
func rowPayload(r *channels.Row, node event.Node) envelope.Raw {
	answer, call := r.States()
	var p event.Payload
	p.Set("event_name", callState)
	p.Set("application", r.Application)
	p.Set("application_data", r.ApplicationData)
	p.Set("secure", r.Secure)
	p.Set("answer_state", answer)
	p.Set("channel_call_state", call)
	p.Set("unique_id", r.UUID)
	p.Set("call_direction", r.Direction)
	p.SetJSON("caller_channel_created_time", strconv.AppendInt(nil, r.Created(), 10))
	p.Set("channel_read_codec_name", r.ReadCodec)
	p.Set("channel_read_codec_rate", r.ReadRate)
	p.Set("channel_write_codec_name", r.WriteCodec)
	p.Set("channel_write_codec_rate", r.WriteRate)
	p.Set("caller_channel_name", r.Name)
	p.Set("caller_context", r.Context)
	p.Set("caller_caller_id_name", r.CallerName)
	p.Set("caller_caller_id_number", r.CallerNumber)
	p.Set("caller_destination_number", r.Destination)
	p.Set("application_name", application(r))
	if r.Presence != "" {
		p.Set("channel_presence_id", r.Presence) // the policy of those who see their own extensions only goes by it
	}
	node.Mark(&p)
	return p.JSON()
}
