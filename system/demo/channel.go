package demo

import "time"

// channel is the payload of every event of a call, under the names that FreeSWITCH's have.
type channel struct {
	EventName         string `json:"event_name"`
	UniqueID          string `json:"unique_id"`
	CallerContext     string `json:"caller_context"`
	ChannelPresenceID string `json:"channel_presence_id"`
	AnswerState       string `json:"answer_state"`
	ChannelCallState  string `json:"channel_call_state"`
	Created           string `json:"caller_channel_created_time"` // microseconds since 1970
	ReadCodecName     string `json:"channel_read_codec_name"`
	ReadCodecRate     string `json:"channel_read_codec_rate"`
	WriteCodecName    string `json:"channel_write_codec_name"`
	WriteCodecRate    string `json:"channel_write_codec_rate"`
	Name              string `json:"caller_channel_name"`
	CallerIDName      string `json:"caller_caller_id_name"`
	CallerIDNumber    string `json:"caller_caller_id_number"`
	DestinationNumber string `json:"caller_destination_number"`
	Secure            string `json:"secure"`
	Application       string `json:"application"`
	ApplicationData   string `json:"application_data"`
	Direction         string `json:"call_direction"`
}

// event is one thing that the switch tells; its payload has the name as event_name.
type event struct {
	name    string
	payload any
}

// The events of a call in their order, as FreeSWITCH names them.
const (
	created   = "CHANNEL_CREATE"
	callState = "CHANNEL_CALLSTATE"
	execute   = "CHANNEL_EXECUTE"
	destroyed = "CHANNEL_DESTROY"
)

// phase is how far a call is.
type phase int

const (
	dialling phase = iota
	ringing
	answered
	over
)

// call is one call and when it goes on.
type call struct {
	channel
	phase   phase
	next    time.Time // when it leaves its phase
	willRun time.Duration
	missed  bool // nobody will answer
}

// step takes the call into its next phase and returns what the switch says of it.
func (c *call) step() []event {
	switch c.phase {
	case dialling:
		c.phase = ringing
		return []event{c.event(created, "ringing", "DOWN"), c.event(callState, "ringing", "RINGING")}
	case ringing:
		if c.missed {
			return c.end()
		}
		c.phase = answered
		c.next = c.next.Add(c.willRun)
		return []event{c.event(callState, "answered", "ACTIVE"), c.event(execute, "answered", "ACTIVE")}
	default:
		return c.end()
	}
}

func (c *call) end() []event {
	c.phase = over
	return []event{c.event(callState, "hangup", "HANGUP"), c.event(destroyed, "hangup", "DOWN")}
}

// event changes the state of the channel and returns a copy, which nobody changes any more.
func (c *call) event(name, answer, state string) event {
	c.EventName, c.AnswerState, c.ChannelCallState = name, answer, state
	return event{name, c.channel}
}
