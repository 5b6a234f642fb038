package channels

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Row is a channel in the switch's own list.
type Row struct {
	UUID               string `json:"uuid"`
	Direction          string `json:"direction"`
	CreatedEpoch       string `json:"created_epoch"`
	Name               string `json:"name"`
	Context            string `json:"context"`
	Presence           string `json:"presence_id"`
	CallUUID           string `json:"call_uuid"`
	State              string `json:"callstate"`
	Application        string `json:"application"`
	ApplicationData    string `json:"application_data"`
	ReadCodec          string `json:"read_codec"`
	ReadRate           string `json:"read_rate"`
	WriteCodec         string `json:"write_codec"`
	WriteRate          string `json:"write_rate"`
	Secure             string `json:"secure"`
	CallerName         string `json:"initial_cid_name"`
	CallerNumber       string `json:"initial_cid_num"`
	Destination        string `json:"initial_dest"`
	CurrentDestination string `json:"dest"`
}

// ErrList means that the switch did not answer with a list of channels.
var ErrList = errors.New("the switch did not answer with a list of channels")

// readList reads the answer to "show channels as json". Other JSON is ErrList, so that it is not taken for the list of
// a switch without calls. A row without a UUID is left out. A value that is no text counts as absent: without the row the
// channel would seem to have ended.
func readList(body string) ([]Row, error) {
	var list struct {
		Count *json.Number      `json:"row_count"`
		Rows  []json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if list.Count == nil || list.Count.String() != strconv.Itoa(len(list.Rows)) {
		return nil, fmt.Errorf("%w: row_count is not the number of rows", ErrList)
	}
	rows := make([]Row, 0, len(list.Rows))
	for _, text := range list.Rows {
		var r Row
		err := json.Unmarshal(text, &r)
		if _, other := errors.AsType[*json.UnmarshalTypeError](err); err != nil && (!other || r.UUID == "") {
			return nil, fmt.Errorf("%w: %w", ErrList, err)
		}
		if r.UUID != "" && !r.ended() {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// ended reports whether the channel is only there until the switch has cleaned up.
func (r *Row) ended() bool { return r.State == "HANGUP" }

// Answered reports whether somebody talks, or could.
func (r *Row) Answered() bool {
	switch r.State {
	case "ACTIVE", "HELD", "UNHELD":
		return true
	}
	return false
}

// States returns the values of answer_state and of channel_call_state that the page of active calls knows. It does
// not know "early", so that is still ringing.
func (r *Row) States() (answer, call string) {
	if r.Answered() {
		return answered, r.State
	}
	return ringing, "RINGING"
}

// Created returns when the channel was made, in microseconds. The switch's list has seconds.
func (r *Row) Created() int64 {
	seconds, err := strconv.ParseInt(r.CreatedEpoch, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		seconds = 0
	}
	return seconds * 1_000_000
}

// newer returns the row with what events have said of the channel since the switch was asked for the list.
func (ch *Channel) newer(r *Row) *Row {
	twin := *r
	twin.State = cmp.Or(ch.Get(keyState), r.State)
	if ch.answered() && !twin.Answered() {
		twin.State = "ACTIVE"
	}
	twin.Context, twin.Presence = cmp.Or(ch.Get(keyContext), r.Context), cmp.Or(ch.Get(keyPresence), r.Presence)
	return &twin
}

// channel returns what is remembered of the channel once pages were told of it.
func (r *Row) channel() *Channel {
	ch := &Channel{uuid: r.UUID}
	ch.update(r)
	return ch
}

// update takes what the list says of the channel.
func (ch *Channel) update(r *Row) {
	ch.shown, ch.unseen = true, false
	answer, call := r.States()
	for key, value := range map[string]string{
		keyAnswer: answer, keyState: call, "call_direction": r.Direction, "caller_channel_created_time": strconv.FormatInt(r.Created(), 10),
		"caller_channel_name": r.Name, keyContext: r.Context, "caller_caller_id_name": r.CallerName,
		"caller_caller_id_number": r.CallerNumber, "caller_destination_number": r.Destination, keyPresence: r.Presence,
	} {
		if value != "" {
			ch.set(place(key), value)
		}
	}
}
