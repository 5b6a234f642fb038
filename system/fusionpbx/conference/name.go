package conference

import (
	"net/url"
	"strings"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
)

// Name is what the switch calls a conference of FusionPBX: the UUID of a room or an extension, and a domain.
type Name struct{ Key, Domain string }

// Parse splits a name at its last "@". It is false if there is no domain or no key.
func Parse(s string) (Name, bool) {
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 {
		return Name{Key: s}, false
	}
	return Name{s[:i], s[i+1:]}, true
}

// FromRequest is Parse for a name that a page sent, which may have percent codes.
func FromRequest(s string) (Name, bool) {
	if decoded, err := url.PathUnescape(s); err == nil {
		s = decoded
	}
	return Parse(s)
}

// String returns the name as the switch writes it.
func (n Name) String() string {
	if n.Domain == "" {
		return n.Key
	}
	return n.Key + "@" + n.Domain
}

// Argument returns the name as an argument of a command. It is an error if the name has other characters than
// extensions and domains.
func (n Name) Argument() (eventsocket.Destination, error) {
	return eventsocket.NewDestination(n.Key, n.Domain)
}

// Quoted is Argument in single quotes.
func (n Name) Quoted() (eventsocket.Arg, error) {
	name, err := n.Argument()
	if err != nil {
		return eventsocket.Arg{}, err
	}
	return eventsocket.Join(eventsocket.Text("'"), name, eventsocket.Text("'")), nil
}

// Of returns the name of the conference that an event is about, or "" if it does not say. An event without the name
// may have it in place of the member's extension, or in the name of its channel.
func Of(p *event.Payload) string {
	if name := p.Get("conference_name"); name != "" {
		return name
	}
	if presence := p.Get("channel_presence_id"); strings.Contains(presence, "@") {
		return presence
	}
	if _, name, ok := strings.Cut(p.Get("caller_channel_name"), "conference+"); ok {
		if name, _, _ = strings.Cut(name, "/"); name != "" {
			return name
		}
	}
	if number, context := p.Get("caller_destination_number"), p.Get("caller_context"); number != "" && context != "" {
		return number + "@" + context
	}
	return ""
}

// Topic returns the topic for an event's action, which pages write with underscores.
func Topic(p *event.Payload) string { return strings.ReplaceAll(p.Get("action"), "-", "_") }

// actionOf returns the action of a topic, as the switch writes it.
func actionOf(topic string) string {
	return strings.ReplaceAll(topic, "_", "-")
}
