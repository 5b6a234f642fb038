package conference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
)

// ReadMember reads what the switch says of a member. It is false for what is no member, such as a recording.
func ReadMember(text envelope.Raw) (Member, bool) {
	var m struct {
		ID    any             `json:"id"`
		UUID  string          `json:"uuid"`
		Flags json.RawMessage `json:"flags"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return Member{}, false
	}
	switch m.ID.(type) {
	case string, json.Number:
		flags, says := readFlags(m.Flags)
		return Member{ID: fmt.Sprint(m.ID), UUID: m.UUID, Flags: flags, JSON: text, says: says}, true
	}
	return Member{}, false
}

// readFlags reads a member's flags, and which of them are there.
func readFlags(text []byte) (Flags, says) {
	var flags struct {
		Hear    *bool `json:"can_hear"`
		Speak   *bool `json:"can_speak"`
		Talking *bool `json:"talking"`
		Floor   *bool `json:"has_floor"`
	}
	if json.Unmarshal(text, &flags) != nil {
		return Flags{Hear: true, Speak: true}, says{}
	}
	is := func(flag *bool, otherwise bool) bool { return flag != nil && *flag || flag == nil && otherwise }
	return Flags{is(flags.Hear, true), is(flags.Speak, true), is(flags.Talking, false), is(flags.Floor, false)},
		says{flags.Hear != nil, flags.Speak != nil, flags.Talking != nil}
}

// MemberOf returns the member that an event is about, for when the switch's list does not have it. It has the keys that
// pages need.
func MemberOf(p *event.Payload) envelope.Raw {
	text := []byte(`{"id":`)
	quoted := func(value string) { text = envelope.AppendString(text, value) }
	key := func(name string) { text = append(append(append(text, ',', '"'), name...), '"', ':') }
	flag := func(name, of string, standard bool) {
		value, ok := p.Lookup(of)
		text = fmt.Appendf(text, `"%s":%t,`, name, value == "true" || !ok && standard)
	}
	quoted(p.Get("member_id"))
	key("uuid")
	quoted(p.Get("unique_id"))
	for _, name := range []string{"caller_id_name", "caller_id_number"} {
		key(name)
		quoted(cmp.Or(p.Get(name), p.Get("caller_"+name)))
	}
	text = append(text, `,"join_time":0,"last_talking":0,"flags":{`...)
	flag("can_hear", "hear", true)
	flag("can_speak", "speak", true)
	flag("talking", "talking", false)
	flag("has_video", "video", false)
	flag("has_floor", "floor", false)
	return fmt.Appendf(text, `"is_moderator":%t}}`, p.Get("member_type") == "moderator")
}
