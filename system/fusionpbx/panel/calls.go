package panel

import (
	"encoding/json"
	"slices"
	"strconv"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/event"
	"strowger/system/service"
)

const held = "HELD"

// callsActive answers with the channels of the asker's domain.
func (l *life) callsActive(r service.Request) error {
	l.calls.List(func(now channels.List, err error) {
		if err != nil {
			l.calls.Refused()
			r.FailWith(refusal(err))
			r.Share()
			return
		}
		now.Rows = slices.DeleteFunc(slices.Clone(now.Rows), func(row channels.Row) bool { return !row.Of(r.Subscriber().DomainName) })
		if r.Part() {
			l.addCalls(r, now.Rows)
			return
		}
		node := l.Node.Seen(r.Subscriber())
		rows := []json.RawMessage{}
		for i := range now.Rows {
			rows = append(rows, json.RawMessage(rowPayload(&now.Rows[i], node)))
		}
		r.Reply(rows)
		r.Share()
	})
	return nil
}

// addCalls tells a page that has an answer of another node of the calls of this one. A second list would take the place
// of the first, so the page is told as if something happened to each of them now. A call whose last event came since the
// switch made its list would never leave the page.
func (l *life) addCalls(r service.Request, rows []channels.Row) {
	for i := range rows {
		if !l.ended.Has(rows[i].UUID, rows[i].Context, l.ctx.Now()) {
			r.Stream(topicState, rowPayload(&rows[i], l.Node))
		}
	}
	r.End()
}

// changed pushes a channel that pages do not know, or know wrongly. The last event of it may have come since the switch made
// its list, and may wait for its turn. Pages would show the channel again, and for ever.
func (l *life) changed(r *channels.Row) {
	l.enqueue(&push{topic: topicState, ready: true, make: func() envelope.Raw {
		if l.ended.Has(r.UUID, r.Context, l.ctx.Now()) {
			return nil
		}
		return rowPayload(r, l.Node)
	}})
}

// rowPayload returns what a page is told of a channel in the switch's list.
func rowPayload(r *channels.Row, node event.Node) envelope.Raw {
	destination := r.CurrentDestination
	if destination == "" {
		destination = r.Destination
	}
	var p event.Payload
	p.Set("event_name", "CHANNEL_CALLSTATE")
	p.Set("channel_call_state", r.State)
	p.Set("answer_state", answerState(r.State))
	p.Set("unique_id", r.UUID)
	p.Set("call_direction", r.Direction)
	p.Set("caller_channel_created_time", strconv.FormatInt(r.Created(), 10))
	p.Set("channel_read_codec_name", r.ReadCodec)
	p.Set("channel_read_codec_rate", r.ReadRate)
	p.Set("channel_write_codec_name", r.WriteCodec)
	p.Set("channel_write_codec_rate", r.WriteRate)
	p.Set("caller_channel_name", r.Name)
	p.Set("caller_context", r.Context)
	p.Set("channel_presence_id", r.Presence)
	p.Set("caller_caller_id_name", r.CallerName)
	p.Set("caller_caller_id_number", r.CallerNumber)
	p.Set("caller_destination_number", destination)
	p.Set("application", r.Application)
	p.Set("secure", r.Secure)
	node.Mark(&p)
	return p.JSON()
}

func answerState(state string) string {
	switch state {
	case "RINGING", "EARLY":
		return "ringing"
	case held:
		return "held"
	}
	return "answered"
}
