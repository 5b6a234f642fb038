package panel

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The topics of conferences that the service makes up itself, and those whose payload it completes.
const (
	topicCreate    = "conference_create"
	topicEnd       = "conference_destroy"
	topicAdd       = "add_member"
	topicDelete    = "del_member"
	topicMute      = "mute_member"
	topicUnmute    = "unmute_member"
	topicDeaf      = "deaf_member"
	topicUndeaf    = "undeaf_member"
	topicTalking   = "start_talking"
	topicSilent    = "stop_talking"
	topicLock      = "lock"
	topicUnlock    = "unlock"
	maintenance    = "conference::maintenance"
	keyName        = "conference_name"
	keyDisplayName = "conference_display_name"
	keyMember      = "member_id"
)

// isMemberTopic reports whether pages are told of the action.
func isMemberTopic(topic string) bool {
	switch topic {
	case topicCreate, topicEnd, topicAdd, topicDelete, topicMute, topicUnmute, topicDeaf, topicUndeaf, topicTalking, topicSilent,
		topicLock, topicUnlock, "floor_change", "kick_member", "energy_level", "gain_level", "volume_level":
		return true
	}
	return false
}

// memberEvent is an event of a conference on its way to pages.
type memberEvent struct {
	p       event.Payload
	topic   string
	name    conference.Name
	display string
	list    []conference.Conference // what the switch said of the conference; nil: nothing
	missing int                     // answers that are on their way
}

// conference pushes an event of a conference, completed by the name that people know and, for a new member, by what
// the switch says of the member.
func (l *life) conference(p event.Payload) {
	topic := conference.Topic(&p)
	if !isMemberTopic(topic) {
		return
	}
	l.pushMember(&memberEvent{p: p, topic: topic, name: parseName(conference.Of(&p))})
}

func parseName(s string) conference.Name {
	name, _ := conference.Parse(s)
	return name
}

func (l *life) pushMember(e *memberEvent) {
	known, fresh := l.Database.CachedConference(e.name.Key, e.name.Domain)
	e.display = known.Name
	p := &push{topic: e.topic, make: e.payload, said: func() { l.rooms.note(e) }}
	done := func() {
		if e.missing--; e.missing == 0 {
			l.release(p)
		}
	}
	if !fresh {
		e.missing++
	}
	asks := e.topic == topicAdd && e.list == nil
	if asks {
		e.missing++
	}
	p.ready = e.missing == 0
	l.enqueue(p)
	if !fresh {
		l.names.get(e.name.String(), func(display string, _ error) { e.display = display; done() })
	}
	if asks {
		l.members.get(e.name.String(), func(list []conference.Conference, _ error) { e.list = list; done() })
	}
}

// payload returns what pages are told.
func (e *memberEvent) payload() envelope.Raw {
	p := &e.p
	switch e.topic {
	case topicCreate:
		p.SetJSON("member_count", []byte("0"))
	case topicDelete:
		size, err := strconv.Atoi(p.Get("conference_size"))
		if err != nil {
			size = 0
		}
		p.SetJSON("member_count", strconv.AppendInt(nil, int64(size), 10))
	case topicAdd:
		e.addMember()
	}
	p.Set(keyName, e.name.String())
	p.Set(keyDisplayName, e.display)
	if e.name.Domain != "" {
		p.Set("domain_name", e.name.Domain)
		p.Set("caller_context", e.name.Domain)
	}
	return p.JSON()
}

// addMember adds the member as the switch's list has it, or as the event does.
func (e *memberEvent) addMember() {
	id := e.p.Get(keyMember)
	if len(e.list) > 0 {
		e.p.SetJSON("member_count", strconv.AppendInt(nil, int64(e.list[0].MemberCount), 10))
		if m, ok := e.list[0].Member(id); ok {
			e.p.SetJSON("member", m.JSON)
			return
		}
	}
	if id != "" {
		e.p.SetJSON("member", eventMember(&e.p))
	}
}

// eventMember returns what an event says of a member, in the form of the switch's list.
func eventMember(p *event.Payload) []byte {
	type flags struct {
		Hear      bool `json:"can_hear"`
		Speak     bool `json:"can_speak"`
		Talking   bool `json:"talking"`
		Video     bool `json:"has_video"`
		Floor     bool `json:"has_floor"`
		Moderator bool `json:"is_moderator"`
	}
	is := func(key string, otherwise bool) bool {
		value, ok := p.Lookup(key)
		return ok && value == "true" || !ok && otherwise
	}
	either := func(a, b string) string {
		if value, ok := p.Lookup(a); ok {
			return value
		}
		return p.Get(b)
	}
	text, err := json.Marshal(struct {
		ID     string `json:"id"`
		UUID   string `json:"uuid"`
		Name   string `json:"caller_id_name"`
		Number string `json:"caller_id_number"`
		Flags  flags  `json:"flags"`
	}{
		p.Get(keyMember), p.Get("unique_id"), either("caller_id_name", "caller_caller_id_name"),
		either("caller_id_number", "caller_caller_id_number"),
		flags{is("hear", true), is("speak", true), is("talking", false), is("video", false), is("floor", false), p.Get("member_type") == "moderator"},
	})
	if err != nil {
		return []byte("null")
	}
	return text
}

func (l *life) askName(ctx context.Context, key string) (string, error) {
	name := parseName(key)
	found, err := l.Database.Conference(ctx, name.Key, name.Domain)
	return found.Name, err // the key if there is an error
}

func (l *life) askMembers(ctx context.Context, key string) ([]conference.Conference, error) {
	name, err := parseName(key).Quoted()
	if err != nil {
		return nil, fmt.Errorf("name of the conference: %w", err)
	}
	return l.list(ctx, eventsocket.API("conference", name, eventsocket.Text("json_list")))
}

func (l *life) askConferences(ctx context.Context, _ string) ([]conference.Conference, error) {
	return l.list(ctx, eventsocket.API("conference json_list"))
}

func (l *life) list(ctx context.Context, command eventsocket.Command) ([]conference.Conference, error) {
	reply, err := l.Commands.Do(ctx, command)
	if err != nil {
		return nil, fmt.Errorf("ask the switch: %w", err)
	}
	return conference.ReadList(reply.Body)
}

// conferencesActive answers with the conferences of the asker's domain.
func (l *life) conferencesActive(r service.Request) error {
	domain := r.Subscriber().DomainName
	l.conferences.get("", func(list []conference.Conference, err error) {
		if err != nil {
			r.FailWith(refusal(err))
			return
		}
		r.Go(func(ctx context.Context) func() {
			rows := []json.RawMessage{}
			for i := range list {
				if name := parseName(list[i].Name); name.Domain == domain && domain != "" {
					// Without the database it is the key, which is what people dial.
					found, _ := l.Database.Conference(ctx, name.Key, name.Domain)
					rows = append(rows, json.RawMessage(list[i].JSON(found.Name)))
				}
			}
			return func() { r.Reply(rows) }
		})
	})
	return nil
}
