package conferences

import (
	"context"
	"encoding/json"
	"slices"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The permissions of those who see conferences. One is enough.
const (
	mayView     = "conference_active_view"
	mayInteract = "conference_interactive_view"
)

// progressRequest is the payload of in_progress.
type progressRequest struct {
	UUID   event.Text `json:"uuid"` // of a room, or an extension; empty for all
	Domain event.Text `json:"domain_name"`
}

// progress answers with the conferences of the asker's domain, or with one of them. The policy has refused those
// who may not see them, but it can be changed.
func (l *life) progress(r service.Request) error {
	asker := r.Subscriber()
	if !asker.Has(mayView) && !asker.Has(mayInteract) {
		return service.Errorf(envelope.Forbidden.Code, "needs the permission %s or %s", mayView, mayInteract)
	}
	var in progressRequest
	if err := r.Decode(&in); err != nil {
		return err
	}
	if !isDomain(in.Domain) {
		return service.Errorf(envelope.BadRequest.Code, "domain_name is not a domain")
	}
	if in.UUID == "" {
		l.ask(all(), func(list []conference.Conference, err error) { l.answer(r, list, err) })
		return nil
	}
	name := conference.Name{Key: string(in.UUID), Domain: asker.DomainName}
	argument, err := name.Argument()
	if err != nil {
		return service.Errorf(envelope.BadRequest.Code, "uuid is neither a room nor an extension")
	}
	// Without quotes, as the original asks. listOf quotes the name.
	l.ask(eventsocket.API("conference", argument, eventsocket.Text("json_list")), func(list []conference.Conference, err error) {
		switch idle := isMissing(err) || err == nil && len(list) == 0; {
		case idle && r.Part():
			r.End()
			return
		case idle:
			r.Pass()
			l.idle(r, name)
			return
		case err != nil:
			r.Pass()
		}
		l.answer(r, list, err)
	})
	return nil
}

// isDomain reports whether a text is empty or can be the name of a domain.
func isDomain(s event.Text) bool {
	_, err := eventsocket.NewDestination("x", string(s))
	return s == "" || err == nil
}

// answer answers with those conferences that are of the asker's domain.
func (l *life) answer(r service.Request, list []conference.Conference, err error) {
	if err != nil {
		l.refuse()
		r.FailWith(refusal(err))
		r.Share()
		return
	}
	own := r.Subscriber().DomainName
	list = slices.DeleteFunc(slices.Clone(list), func(c conference.Conference) bool {
		name, ok := conference.Parse(c.Name)
		return !ok || name.Domain != own
	})
	if r.Part() {
		l.add(r, list)
		return
	}
	node := l.Node.Seen(r.Subscriber())
	rows := make([]json.RawMessage, len(list))
	missing := len(list)
	if missing == 0 {
		tell(r, rows)
		r.Share()
		return
	}
	for i := range list {
		name, _ := conference.Parse(list[i].Name)
		l.display(name, func(display string) {
			rows[i] = json.RawMessage(node.MarkJSON(list[i].JSON(display)))
			if missing--; missing == 0 {
				tell(r, rows)
				r.Share()
			}
		})
	}
}

// add tells a page that has an answer of another node of the conferences of this one. A second list would take the place
// of the first, so the page is told of the members as if they came now.
func (l *life) add(r service.Request, list []conference.Conference) {
	missing := len(list)
	if missing == 0 {
		r.End()
		return
	}
	for i := range list {
		name, _ := conference.Parse(list[i].Name)
		l.display(name, func(display string) {
			for _, c := range list[i].Arrivals() {
				at := &push{topic: c.Topic, payload: c.Payload(), name: name, list: c.Conference(), display: display}
				at.complete()
				l.Node.Mark(&at.payload)
				r.Stream(at.topic, at.payload.JSON())
			}
			if missing--; missing == 0 {
				r.End()
			}
		})
	}
}

// tell answers without a status, as FusionPBX's service does.
func tell(r service.Request, payload any) { r.ReplyWith(r.Topic(), 0, payload) }

// room is what a page is told of a conference that has no members.
type room struct {
	Name      string `json:"conference_name"`
	Display   string `json:"conference_display_name,omitempty"`
	UUID      string `json:"conference_uuid"`
	Count     int    `json:"member_count"`
	Members   []int  `json:"members"`
	Locked    *bool  `json:"locked,omitempty"`
	Recording *bool  `json:"recording,omitempty"`
	Exists    *bool  `json:"exists_in_database,omitempty"`
	Error     string `json:"error,omitempty"`
}

// idle answers with a conference that nobody is in, as the database knows it. If there is no database, or if it does
// not answer, the page is told neither that the conference exists nor that it does not.
func (l *life) idle(r service.Request, name conference.Name) {
	if l.Database == nil {
		tell(r, []room{idleRoom(name, database.Conference{Name: name.Key}, false)})
		return
	}
	r.Go(func(ctx context.Context) func() {
		found, err := l.Database.Conference(ctx, name.Key, name.Domain)
		if err != nil {
			r.Log().Debug("a conference is shown without what the database has", "err", err)
		}
		return func() { tell(r, []room{idleRoom(name, found, err == nil)}) }
	})
}

func idleRoom(name conference.Name, found database.Conference, certain bool) room {
	at := room{Name: name.String(), UUID: name.Key, Members: []int{}}
	if certain {
		at.Exists = &found.Exists
	}
	if certain && !found.Exists {
		at.Error = "not_found"
		return at
	}
	at.Display, at.Locked, at.Recording = found.Name, new(bool), new(bool)
	return at
}
