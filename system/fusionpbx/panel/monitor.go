package panel

import (
	"context"
	"errors"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// mode is how a supervisor listens to a call.
type mode struct {
	name    eventsocket.Variable // what the supervisor's phone shows
	suffix  eventsocket.Arg      // of the application's argument; the zero value: none
	message string
}

// eavesdrop rings an extension of the asker's domain, which then hears the call.
func (l *life) eavesdrop(r service.Request, in fields) {
	l.monitor(r, in, mode{name: showing(eventsocket.Text("eavesdrop")), message: "Eavesdrop started"}, false)
}

// whisper is eavesdrop with words that only one side of the call hears.
func (l *life) whisper(r service.Request, in fields) {
	l.monitor(r, in, mode{showing(eventsocket.Text("whisper")), eventsocket.Text(" whisper"), "Whisper started"}, true)
}

// barge is eavesdrop with words that both sides hear.
func (l *life) barge(r service.Request, in fields) {
	l.monitor(r, in, mode{showing(eventsocket.Text("barge")), eventsocket.Text(" barge"), "Barge started"}, true)
}

func showing(name eventsocket.Arg) eventsocket.Variable {
	return eventsocket.Var("origination_caller_id_name", name)
}

// monitor rings the extension. One who speaks may not be on the call already.
func (l *life) monitor(r service.Request, in fields, m mode, speaks bool) {
	const missing, invalid = "UUID and destination extension required", "Invalid destination extension"
	number, ok := target(r, in, missing, invalid)
	if !ok {
		return
	}
	extension := in.text("destination_extension")
	if extension == "" {
		extension = in.text("destination")
	}
	phone, err := eventsocket.NewDestination(extension, r.Subscriber().DomainName)
	if err != nil {
		refuse(r, invalid)
		return
	}
	l.channel(r, in, func(uuid eventsocket.UUID, legs []channels.Leg) {
		for _, leg := range legs {
			if speaks && leg.CallerNumber == extension {
				refuse(r, "Cannot monitor a call from an extension already on that call")
				return
			}
		}
		if !l.mayCall(r) {
			return
		}
		listen := eventsocket.App("eavesdrop", uuid)
		if speaks {
			listen = eventsocket.App("eavesdrop", eventsocket.Join(uuid, m.suffix))
		}
		dial := eventsocket.Join(
			eventsocket.Variables(m.name, eventsocket.Var("origination_caller_id_number", number)), eventsocket.Text("user/"), phone)
		l.command(r, eventsocket.API("bgapi originate", dial, listen), m.message)
	})
}

// ringing is how long an operator waits to hear whether a call that was originated came about. One that still rings
// then has begun.
const ringing = 5 * time.Second

// originate rings an extension of the asker's domain and connects it with a number.
func (l *life) originate(r service.Request, in fields) {
	source, destination := in.text("source"), in.text("destination")
	domain := r.Subscriber().DomainName
	phone, err1 := eventsocket.NewDestination(source, domain)
	number, err2 := eventsocket.NewArg(destination)
	switch {
	case source == "" || destination == "":
		refuse(r, "Source and destination required")
		return
	case err1 != nil || err2 != nil || !isNumber(source) || !isNumber(destination):
		refuse(r, "Invalid source or destination")
		return
	case source == destination:
		refuse(r, "Cannot call self")
		return
	}
	if !l.mayCall(r) {
		return
	}
	variables := eventsocket.Variables(
		eventsocket.Var("sip_auto_answer", eventsocket.Text("true")), eventsocket.Var("origination_caller_id_number", phone.User()))
	dial := eventsocket.Join(variables, eventsocket.Text("user/"), phone)
	perform(r, func(ctx context.Context) (verdict, error) {
		at, err := l.userContext(ctx, phone)
		if err != nil {
			return failure("Invalid source or destination"), nil
		}
		return l.place(ctx, eventsocket.API("originate", dial, number, eventsocket.Text("XML"), at))
	})
}

// userContext returns the context in which calls of an extension begin, which is the domain unless the database has
// another one.
func (l *life) userContext(ctx context.Context, of eventsocket.Destination) (eventsocket.Arg, error) {
	user, domain := of.Names()
	name, err := l.Database.UserContext(ctx, user, domain)
	if err == nil && name != "" {
		if at, err := eventsocket.NewArg(name); err == nil {
			return at, nil
		}
	}
	return eventsocket.NewArg(domain)
}

// place begins a call. The switch answers when somebody has answered, so it is asked on a connection of its own.
func (l *life) place(ctx context.Context, command eventsocket.Command) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, ringing)
	defer cancel()
	reply, err := l.Commands.Alone(ctx, command)
	switch {
	case errors.Is(err, eventsocket.ErrNotConnected):
		return verdict{}, err // nothing was sent, also if it is the time that ended
	case err != nil && ctx.Err() != nil:
		return success("Call originated"), nil
	case err != nil:
		return verdict{}, err
	case reply.Failed():
		v := failed(reply)
		v.Response = reply.Body
		return v, nil
	}
	v := success("Call originated")
	v.Response = reply.Body
	return v, nil
}
