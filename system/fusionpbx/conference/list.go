package conference

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"strowger/actors/envelope"
)

// Conference is a conference in the switch's own list.
type Conference struct {
	Name        string
	MemberCount int
	Locked      bool
	Members     []Member

	text  []byte         // the JSON object
	index map[string]int // the place of each id in Members
}

// Member is a member of a conference.
type Member struct {
	ID    string
	UUID  string
	Flags Flags
	// JSON is all that the switch says of the member.
	JSON envelope.Raw

	says says
}

// says tells which flags the switch has given.
type says struct{ hear, speak, talking bool }

// Flags are what the switch says of a member's state. A flag that it does not give is as most members have it: who is in
// a conference hears and may speak.
type Flags struct{ Hear, Speak, Talking, Floor bool }

// ErrList means that the switch did not answer with a list of conferences.
var ErrList = errors.New("the switch did not answer with a list of conferences")

// ReadAll reads the answer to "conference json_list". An older switch without conferences says so in words.
func ReadAll(body string) ([]Conference, error) {
	if strings.HasPrefix(strings.TrimSpace(body), "No active conferences") {
		return nil, nil
	}
	return ReadList(body)
}

// ReadList reads the answer to "conference json_list" and to the same for one conference. The text that the switch
// gives when there is no such conference is ErrList.
func ReadList(body string) ([]Conference, error) {
	body = strings.TrimSpace(body)
	if !strings.HasPrefix(body, "[") { // compact makes a list of an empty object
		return nil, fmt.Errorf("%w: it is no JSON array", ErrList)
	}
	var entries []json.RawMessage
	text := compact([]byte(strings.ToValidUTF8(body, "\ufffd")))
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	list := make([]Conference, 0, len(entries))
	for _, entry := range entries {
		var c struct {
			Name    string            `json:"conference_name"`
			Count   *int              `json:"member_count"`
			Locked  bool              `json:"locked"`
			Members []json.RawMessage `json:"members"`
		}
		if err := json.Unmarshal(entry, &c); err != nil || entry[0] != '{' {
			continue
		}
		conference := Conference{Name: c.Name, MemberCount: len(c.Members), Locked: c.Locked, text: entry, index: make(map[string]int, len(c.Members))}
		if c.Count != nil {
			conference.MemberCount = *c.Count
		}
		for _, m := range c.Members {
			if member, ok := ReadMember(envelope.Raw(m)); ok {
				conference.add(member)
			}
		}
		list = append(list, conference)
	}
	return list, nil
}

// add adds a member. If two have the same id, the first counts.
func (c *Conference) add(m Member) {
	if _, ok := c.index[m.ID]; !ok {
		c.index[m.ID] = len(c.Members)
	}
	c.Members = append(c.Members, m)
}

// Member returns the member with the id.
func (c *Conference) Member(id string) (Member, bool) {
	i, ok := c.index[id]
	if !ok {
		return Member{}, false
	}
	return c.Members[i], true
}

// JSON returns what the switch says of the conference, and the name that pages show.
func (c *Conference) JSON(display string) envelope.Raw {
	text := append([]byte(nil), c.text[:len(c.text)-1]...)
	if len(text) > 1 {
		text = append(text, ',')
	}
	text = append(text, `"conference_display_name":`...)
	return append(envelope.AppendString(text, display), '}')
}

// compact removes the spaces between values, and writes an object that is empty as PHP does: as an empty list.
func compact(text []byte) []byte {
	out := make([]byte, 0, len(text))
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\' && i+1 < len(text):
			out = append(out, c)
			i++
			c = text[i]
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ' ', c == '\t', c == '\n', c == '\r':
			continue
		case c == '}' && len(out) > 0 && out[len(out)-1] == '{':
			out[len(out)-1] = '['
			c = ']'
		}
		out = append(out, c)
	}
	return out
}
