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

// The keys of payloads that the service reads or adds.
const (
	keyName        = "conference_name"
	keyDisplayName = "conference_display_name"
	keyMember      = "member_id"
)

// isMemberTopic reports whether pages are told of the action.
func isMemberTopic(topic string) bool {
	switch topic {
	case conference.Create, conference.Destroy, conference.Add, conference.Delete, conference.Mute, conference.Unmute,
		conference.Deaf, conference.Undeaf, conference.StartTalking, conference.StopTalking, conference.Lock, conference.Unlock,
		conference.FloorChange, "kick_member", "energy_level", "gain_level", "volume_level":
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
	change  *conference.Change      // what the comparison has found; nil: an event
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
	l.enqueue(l.newPush(&memberEvent{p: p, topic: topic, name: parseName(conference.Of(&p))}))
}

func parseName(s string) conference.Name {
	name, _ := conference.Parse(s)
	return name
}

// newPush returns the push of an event, which waits for what the database and the switch have to add. An event that does
// not say of which conference it is waits for nothing.
func (l *life) newPush(e *memberEvent) *push {
	p := &push{topic: e.topic}
	p.make = func() envelope.Raw { return l.tellMember(e) }
	p.said = func() { l.rememberMember(e) }
	done := func() {
		if e.missing--; e.missing == 0 {
			l.release(p)
		}
	}
	known, fresh := l.Database.CachedConference(e.name.Key, e.name.Domain)
	e.display = known.Name
	asksName := !fresh && e.name.Key != ""
	asksList := e.topic == conference.Add && e.list == nil && e.name.Domain != ""
	e.missing = 1 // until all questions have begun
	if asksName {
		e.missing++
		l.names.get(e.name.String(), func(display string, _ error) { e.display = display; done() })
	}
	if asksList {
		e.missing++
		l.members.get(e.name.String(), func(list []conference.Conference, _ error) { e.list = list; done() })
	}
	done()
	return p
}

// tellMember returns what pages are told, or nil if a comparison has told them already.
func (l *life) tellMember(e *memberEvent) envelope.Raw {
	e.complete()
	l.bequeathRoom(e)
	l.Node.Mark(&e.p)
	text := e.p.JSON()
	if e.change == nil && l.rooms.known.Repeats(e.topic, &e.p) {
		return nil
	}
	return text
}

func (l *life) rememberMember(e *memberEvent) {
	defer l.releaseRoom(e)
	if e.change != nil {
		l.rooms.known.Settle(e.change, &e.p, true)
		return
	}
	if l.rooms.known.Doubts(e.topic, &e.p) {
		l.rooms.doubt()
	}
	l.rooms.known.Remember(e.topic, &e.p)
}

// complete adds to the event what pages are told besides.
func (e *memberEvent) complete() {
	p := &e.p
	switch e.topic {
	case conference.Create:
		p.SetJSON("member_count", []byte("0"))
	case conference.Delete:
		size, err := strconv.Atoi(p.Get("conference_size"))
		if err != nil {
			size = 0
		}
		p.SetJSON("member_count", strconv.AppendInt(nil, int64(size), 10))
	case conference.Add:
		e.addMember()
	}
	p.Set(keyName, e.name.String())
	p.Set(keyDisplayName, e.display)
	if e.name.Domain != "" {
		p.Set("domain_name", e.name.Domain)
		p.Set("caller_context", e.name.Domain)
	}
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
		e.p.SetJSON("member", conference.MemberOf(&e.p))
	}
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
	reply, err := l.do(ctx, command)
	if err != nil {
		return nil, err
	}
	return conference.ReadAll(reply.Body)
}

// conferencesActive answers with the conferences of the asker's domain.
func (l *life) conferencesActive(r service.Request) error {
	domain := r.Subscriber().DomainName
	l.conferences.get("", func(list []conference.Conference, err error) {
		if err != nil {
			l.rooms.refused()
			r.FailWith(refusal(err))
			r.Share()
			return
		}
		node := l.Node.Seen(r.Subscriber())
		r.Go(func(ctx context.Context) func() {
			rows := []json.RawMessage{}
			var members []*memberEvent
			for i := range list {
				name := parseName(list[i].Name)
				if name.Domain != domain || domain == "" {
					continue
				}
				// Without the database it is the key, which is what people dial.
				found, _ := l.Database.Conference(ctx, name.Key, name.Domain)
				rows = append(rows, json.RawMessage(node.MarkJSON(list[i].JSON(found.Name))))
				members = append(members, arrivals(&list[i], found.Name)...)
			}
			return func() {
				if r.Part() {
					l.addMembers(r, members)
					return
				}
				r.Reply(rows)
				r.Share()
			}
		})
	})
	return nil
}

// arrivals returns an event for each member of a conference.
func arrivals(c *conference.Conference, display string) []*memberEvent {
	var found []*memberEvent
	for _, change := range c.Arrivals() {
		e := newDifference(&change)
		e.display = display
		found = append(found, e)
	}
	return found
}

// addMembers tells a page that has an answer of another node of the conferences of this one. A second list would take
// the place of the first, so the page is told of the members as if they came now.
func (l *life) addMembers(r service.Request, members []*memberEvent) {
	for _, e := range members {
		e.complete()
		l.Node.Mark(&e.p)
		r.Stream(e.topic, e.p.JSON())
	}
	r.End()
}
