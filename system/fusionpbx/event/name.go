package event

import "strowger/system/fusionpbx/eventsocket"

// The keys whose values FusionPBX exchanges.
const (
	eventName  = "event_name"
	apiCommand = "api_command"
	subclass   = "event_subclass"
)

// names are the values of those keys after the exchange. An event about an api command is named after the
// command, and a custom event after its subclass, so that pages find their handlers by one key.
type names struct{ event, command, subclass string }

func newNames(e *eventsocket.Event) names {
	n := names{e.Name(), e.Get("API-Command"), e.Get("Event-Subclass")}
	if n.command != "" {
		n.event, n.command = n.command, n.event
	}
	if n.subclass != "" {
		n.event, n.subclass = n.subclass, n.event
	}
	return n
}

func (n *names) replace(key, value string) string {
	switch key {
	case eventName:
		return n.event
	case apiCommand:
		return n.command
	case subclass:
		return n.subclass
	}
	return value
}

// find returns the place in the list of the key that a header makes. The header Name makes event_name, as in
// FusionPBX; alias is true for it. Most headers of an event are in no list, so they are told apart by their first
// letter and length before they are looked up.
func (k *Keys) find(header string) (place int, alias, ok bool) {
	var key [longestKey]byte
	n := 0
	for i := 0; i < len(header); i++ {
		c := k.normal[header[i]]
		if c == 0 {
			continue
		}
		if n == k.longest {
			return 0, false, false
		}
		key[n] = c
		n++
	}
	if string(key[:n]) == "name" {
		place, ok = k.index[eventName]
		return place, true, ok
	}
	if k.lengths[key[0]]>>n&1 == 0 {
		return 0, false, false
	}
	place, ok = k.index[string(key[:n])]
	return place, false, ok
}

// normalize returns what becomes of each byte of a header in a key: 0 for those that are left out.
func normalize() (table [256]byte) {
	for c := range byte(128) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_':
			table[c] = c
		case 'A' <= c && c <= 'Z':
			table[c] = c + 'a' - 'A'
		case c == '-':
			table[c] = '_'
		}
	}
	return table
}
