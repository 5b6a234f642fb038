package conferences

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// actionRequest is the payload of action.
type actionRequest struct {
	Action     event.Text `json:"action"`
	Conference event.Text `json:"conference_name"`
	Domain     event.Text `json:"domain_name"`
	Member     event.Text `json:"member_id"`
	UUID       event.Text `json:"uuid"`
	Direction  event.Text `json:"direction"`
}

// action is something that pages can do with a conference.
type action struct {
	permission string
	run        func(l *life, r service.Request, t *target)
}

// target is what an action is about. All values may stand in a command.
type target struct {
	name      conference.Name
	room      eventsocket.Destination
	member    eventsocket.Arg
	hasMember bool
	uuid      eventsocket.UUID
	hasUUID   bool
	direction string
}

func actions() map[string]action {
	const lock, mute, deaf, kick = "conference_interactive_lock", "conference_interactive_mute", "conference_interactive_deaf", "conference_interactive_kick"
	word := eventsocket.Text
	return map[string]action{
		"lock":       {lock, whole(word("lock"))},
		"unlock":     {lock, whole(word("unlock"))},
		"mute":       {mute, one(word("mute"), true)},
		"unmute":     {mute, one(word("unmute"), true)},
		"mute_all":   {mute, whole(word("mute"), word("non_moderator"))},
		"unmute_all": {mute, whole(word("unmute"), word("non_moderator"))},
		"deaf":       {deaf, one(word("deaf"), false)},
		"undeaf":     {deaf, one(word("undeaf"), false)},
		"kick":       {kick, (*life).kick},
		"kick_all":   {kick, (*life).kickAll},
		"energy":     {"conference_interactive_energy", level(word("energy"), 100, 0)},
		"volume_in":  {"conference_interactive_volume", level(word("volume_in"), 1, lowest)},
		"volume_out": {"conference_interactive_gain", level(word("volume_out"), 1, lowest)},
	}
}

// act does what a page asks for. Every answer says whether it was done, and why not.
func (l *life) act(r service.Request) error {
	var in actionRequest
	if err := r.Decode(&in); err != nil {
		return deny(r, envelope.BadRequest.Code, misfit(err))
	}
	a, ok := l.actions[string(in.Action)]
	switch {
	case !ok:
		return deny(r, envelope.BadRequest.Code, "Invalid action: "+short(string(in.Action)))
	case !r.Subscriber().Has(a.permission):
		return deny(r, envelope.BadRequest.Code, "Permission denied")
	}
	t, problem := in.target()
	if problem != "" {
		return deny(r, envelope.BadRequest.Code, problem)
	}
	if own := r.Subscriber().DomainName; own == "" || t.name.Domain != own {
		l.ctx.Log().Warn("action on a conference of another domain refused", "domain", own, "subscriber", r.Subscriber().ID)
		return deny(r, envelope.Forbidden.Code, "The conference is not of your domain")
	}
	a.run(l, r, t)
	return nil
}

// misfit returns what is wrong with a payload.
func misfit(err error) string {
	if told, ok := errors.AsType[*service.Error](err); ok {
		return told.Reason
	}
	return "The payload cannot be read"
}

// target returns what the request is about, or the problem with it.
func (in *actionRequest) target() (t *target, problem string) {
	t = &target{direction: string(in.Direction)}
	var ok bool
	var err error
	if t.name, ok = conference.FromRequest(string(in.Conference)); !ok {
		return nil, "Invalid conference name"
	}
	if t.room, err = t.name.Argument(); err != nil {
		return nil, "Invalid conference name"
	}
	if !isDomain(in.Domain) {
		return nil, "Invalid domain name"
	}
	if strings.Trim(t.direction, "abcdefghijklmnopqrstuvwxyz") != "" {
		return nil, "Invalid direction"
	}
	if t.hasMember = in.Member != ""; t.hasMember {
		if t.member, err = eventsocket.NewArg(string(in.Member)); err != nil || strings.Trim(string(in.Member), "0123456789") != "" {
			return nil, "Invalid member ID"
		}
	}
	if t.hasUUID = in.UUID != ""; t.hasUUID {
		if t.uuid, err = eventsocket.ParseUUID(string(in.UUID)); err != nil {
			return nil, "Invalid UUID"
		}
	}
	return t, ""
}

// outcome is the payload of the answer.
type outcome struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

const response = "action_response"

func deny(r service.Request, status int, message string) error {
	r.ReplyWith(response, status, outcome{false, message})
	return nil
}

// done says that the switch got the command. It says so too if the switch has refused it, for example because the
// conference ended meanwhile: pages see what became of it by the events.
func done(r service.Request) { r.ReplyWith(response, 200, outcome{true, "Action executed"}) }

// short cuts what a page has sent, for an answer.
func short(s string) string {
	const longest = 64
	if len(s) <= longest {
		return s
	}
	for s = s[:longest]; !utf8.ValidString(s) && s != ""; {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// command runs a command outside the service's goroutine, and then says what came of it, unless that is an error.
func (l *life) command(r service.Request, command eventsocket.Command, then func(eventsocket.Reply)) {
	r.Go(func(ctx context.Context) func() {
		reply, err := l.do(ctx, command)
		return func() {
			if err != nil {
				l.failed(r, err)
				return
			}
			then(reply)
		}
	})
}

// failed says why the switch could not be asked.
func (l *life) failed(r service.Request, err error) {
	status, reason := explain(err)
	r.Log().Debug("an action was not carried out", "err", err)
	_ = deny(r, status, "The action was not carried out: "+reason)
}

// whole returns an action on a whole conference.
func whole(words ...eventsocket.Argument) func(*life, service.Request, *target) {
	return func(l *life, r service.Request, t *target) {
		arguments := append([]eventsocket.Argument{t.room}, words...)
		l.here(r, t, func() {
			l.command(r, eventsocket.API("conference", arguments...), func(eventsocket.Reply) { done(r) })
		})
	}
}

// here calls then if the switch of this node has the conference and, where the page says which channel the member's is,
// the member, or if there is no other node. Otherwise another node may have it. If none has, the page gets the answer
// that the command would get.
func (l *life) here(r service.Request, t *target, then func()) {
	if r.Alone() {
		then()
		return
	}
	decide := func(is bool, err error) {
		switch {
		case err != nil:
			r.Pass()
			l.failed(r, err)
		case !is:
			r.Pass()
			done(r)
		default:
			then()
		}
	}
	if t.hasMember && t.hasUUID {
		l.inConference(t, decide)
		return
	}
	l.isActive(t.name, decide)
}

// one returns an action on one member. If it lowers the member's hand, the page has to say which channel is the
// member's.
func one(word eventsocket.Arg, lowersHand bool) func(*life, service.Request, *target) {
	return func(l *life, r service.Request, t *target) {
		if !t.hasMember {
			_ = deny(r, envelope.BadRequest.Code, "Member ID required")
			return
		}
		l.here(r, t, func() {
			l.command(r, eventsocket.API("conference", t.room, word, t.member), func(eventsocket.Reply) {
				done(r)
				if !lowersHand || !t.hasUUID {
					return
				}
				l.lowerHand(t)
			})
		})
	}
}

// lowerHand notes that the member does not ask to speak any more. A channel that is not in the conference is left as it is. The
// page has the answer already: whatever becomes of the hand, the member is muted, or is not any more.
func (l *life) lowerHand(t *target) {
	then := func(err error) {
		if err != nil {
			l.ctx.Log().Warn("the hand of a member was not lowered", "err", err)
		}
	}
	l.inConference(t, func(is bool, err error) {
		if err != nil || !is {
			then(err)
			return
		}
		command := eventsocket.API("uuid_setvar", t.uuid, eventsocket.Text("hand_raised"), eventsocket.Text("false"))
		if !l.ctx.Go(func(ctx context.Context) func() {
			_, err := l.do(ctx, command)
			return func() { then(err) }
		}) {
			then(errTooBusy)
		}
	})
}
