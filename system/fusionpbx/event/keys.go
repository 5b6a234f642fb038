package event

import "slices"

// Keys are the keys that a service forwards. They are immutable, so that one value serves all goroutines.
type Keys struct {
	index   map[string]int
	names   []string
	longest int
	lengths [256]uint64 // by the first letter, a bit for each length
	normal  [256]byte   // see normalize
}

// The most keys that a list may have, and the longest key.
const (
	maxKeys    = 128
	longestKey = 63
)

// NewKeys returns a list of keys as payloads have them: lower case letters, digits and "_". It panics if there are
// more than 128, if one is empty or longer than 63.
func NewKeys(names ...string) *Keys {
	k := &Keys{index: make(map[string]int, len(names)), names: slices.Clone(names), normal: normalize()}
	if len(names) > maxKeys {
		panic("event: too many keys")
	}
	for i, name := range names {
		k.index[name] = i
		k.longest = max(k.longest, len(name))
		if name == "" || len(name) > longestKey {
			panic("event: a key is empty or too long")
		}
		k.lengths[name[0]] |= 1 << len(name)
	}
	return k
}

// Calls returns the keys that active.calls forwards.
func Calls() *Keys { return NewKeys(calls()...) }

// Conferences returns the keys that active.conferences forwards.
func Conferences() *Keys {
	return NewKeys(append(without(calls(), "application_name"), conferences()...)...)
}

// PanelCalls returns the keys that active.operator.panel forwards of calls and parked calls.
func PanelCalls() *Keys { return NewKeys(panelCalls()...) }

// PanelConferences returns the keys that active.operator.panel forwards of conferences.
func PanelConferences() *Keys {
	return NewKeys(append([]string{
		"event_name", "unique_id", "caller_context", "channel_presence_id", "answer_state", "channel_call_state",
		"caller_channel_created_time", "channel_read_codec_name", "channel_write_codec_name", "caller_caller_id_name",
		"caller_caller_id_number", "caller_destination_number", "action",
	}, conferences()...)...)
}

func panelCalls() []string {
	return append(without(calls(), "application_name", "playback_file_path", "content_type"), "variable_bridge_uuid")
}

func calls() []string {
	return []string{
		"event_name", "unique_id", "caller_context", "channel_presence_id", "answer_state", "channel_call_state",
		"caller_channel_created_time", "channel_read_codec_name", "channel_write_codec_name", "channel_read_codec_rate",
		"channel_write_codec_rate", "caller_channel_name", "caller_caller_id_name", "caller_caller_id_number",
		"caller_destination_number", "secure", "application", "application_name", "application_data",
		"variable_current_application", "playback_file_path", "valet_extension", "action", "variable_referred_by_user",
		"variable_pre_transfer_caller_id_name", "variable_valet_parking_timeout", "call_direction",
		"variable_call_direction", "other_leg_rdnis", "other_leg_unique_id", "content_type",
	}
}

func conferences() []string {
	return []string{
		"conference_name", "conference_uuid", "conference_size", "conference_profile_name", "floor", "video", "hear",
		"see", "speak", "talking", "mute_detect", "hold", "member_id", "member_type", "member_ghost", "energy_level",
		"current_energy", "new_id", "api_command_argument", "caller_id_name", "caller_id_number",
	}
}

func without(names []string, not ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(not, name) })
}
