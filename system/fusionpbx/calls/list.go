package calls

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
)

// row is a channel in the switch's own list.
type row struct {
	UUID            string `json:"uuid"`
	Direction       string `json:"direction"`
	CreatedEpoch    string `json:"created_epoch"`
	Name            string `json:"name"`
	Context         string `json:"context"`
	Presence        string `json:"presence_id"`
	CallUUID        string `json:"call_uuid"`
	State           string `json:"callstate"`
	Application     string `json:"application"`
	ApplicationData string `json:"application_data"`
	ReadCodec       string `json:"read_codec"`
	ReadRate        string `json:"read_rate"`
	WriteCodec      string `json:"write_codec"`
	WriteRate       string `json:"write_rate"`
	Secure          string `json:"secure"`
	CallerName      string `json:"initial_cid_name"`
	CallerNumber    string `json:"initial_cid_num"`
	Destination     string `json:"initial_dest"`
}

var errList = errors.New("the switch did not answer with a list of channels")

// readList reads the answer to "show channels as json". A row that makes no sense is left out.
func readList(body string) ([]row, error) {
	var list struct {
		Rows []json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("%w: %w", errList, err)
	}
	rows := make([]row, 0, len(list.Rows))
	for _, text := range list.Rows {
		var r row
		if err := json.Unmarshal(text, &r); err == nil && r.UUID != "" && !r.ended() {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// ended reports whether the channel is only there until the switch has cleaned up.
func (r *row) ended() bool { return r.State == "HANGUP" }

// answered reports whether somebody talks, or could.
func (r *row) answered() bool {
	switch r.State {
	case "ACTIVE", "HELD", "UNHELD":
		return true
	}
	return false
}

// state returns what pages are told of the channel's state. They do not know "early", so that is still ringing.
func (r *row) state() (answer, call string) {
	if r.answered() {
		return answered, r.State
	}
	return ringing, "RINGING"
}

// application returns the application with its argument on one line.
func (r *row) application() string {
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

// payload returns what a page is told of the channel.
func (r *row) payload() envelope.Raw {
	answer, call := r.state()
	var p event.Payload
	p.Set("event_name", callState)
	p.Set("application", r.Application)
	p.Set("application_data", r.ApplicationData)
	p.Set("secure", r.Secure)
	p.Set(keyAnswer, answer)
	p.Set(keyState, call)
	p.Set(keyUUID, r.UUID)
	p.Set("call_direction", r.Direction)
	p.SetJSON("caller_channel_created_time", r.created())
	p.Set("channel_read_codec_name", r.ReadCodec)
	p.Set("channel_read_codec_rate", r.ReadRate)
	p.Set("channel_write_codec_name", r.WriteCodec)
	p.Set("channel_write_codec_rate", r.WriteRate)
	p.Set("caller_channel_name", r.Name)
	p.Set(keyContext, r.Context)
	p.Set("caller_caller_id_name", r.CallerName)
	p.Set("caller_caller_id_number", r.CallerNumber)
	p.Set("caller_destination_number", r.Destination)
	p.Set("application_name", r.application())
	if r.Presence != "" {
		p.Set(keyPresence, r.Presence) // the policy of those who see their own extensions only goes by it
	}
	return p.JSON()
}

// created returns when the channel was made, in microseconds. The switch's list has seconds.
func (r *row) created() []byte {
	seconds, err := strconv.ParseInt(r.CreatedEpoch, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		seconds = 0
	}
	return strconv.AppendInt(nil, seconds*1_000_000, 10)
}

// channel returns what is remembered of the channel once pages were told of it.
func (r *row) channel() *channel {
	ch := &channel{uuid: r.UUID}
	ch.update(r)
	return ch
}

// update takes what the list says of the channel.
func (ch *channel) update(r *row) {
	answer, call := r.state()
	for key, value := range map[string]string{
		keyAnswer: answer, keyState: call, "call_direction": r.Direction, "caller_channel_created_time": string(r.created()),
		"caller_channel_name": r.Name, keyContext: r.Context, "caller_caller_id_name": r.CallerName,
		"caller_caller_id_number": r.CallerNumber, "caller_destination_number": r.Destination, keyPresence: r.Presence,
	} {
		if value != "" {
			ch.set(place(key), value)
		}
	}
}
