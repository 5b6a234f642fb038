package panel

import (
	"context"
	"strings"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// isNumber reports whether s is a number that can be dialed.
func isNumber(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789*#+") == ""
}

// channel reads the UUID of a call and calls then if it is of the asker's domain. It refuses one that does not exist.
func (l *life) channel(r service.Request, in fields, then func(uuid eventsocket.UUID, legs []channels.Leg)) {
	l.channelOr(r, in, then, func() { noChannel(r) })
}

// channelOr is channel, and calls missing for a call that does not exist.
func (l *life) channelOr(r service.Request, in fields, then func(uuid eventsocket.UUID, legs []channels.Leg), missing func()) {
	uuid, err := eventsocket.ParseUUID(in.text("uuid"))
	if err != nil {
		refuse(r, "Invalid UUID")
		return
	}
	l.own(r, uuid, func(legs []channels.Leg) { then(uuid, legs) }, missing)
}

// hangup ends a channel. One that is gone already has ended too.
func (l *life) hangup(r service.Request, in fields) { l.kill(r, in, "Call terminated") }

// kick removes a member from a conference, which ends the member's call.
func (l *life) kick(r service.Request, in fields) { l.kill(r, in, "Conference member removed") }

func (l *life) kill(r service.Request, in fields, message string) {
	if in.text("uuid") == "" {
		refuse(r, "UUID required")
		return
	}
	gone := func() { alreadyEnded(r, message) }
	l.channelOr(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		perform(r, func(ctx context.Context) (verdict, error) { return l.end(ctx, uuid, message) })
	}, gone)
}

// end ends a channel and returns the message. A channel that has gone already has ended too.
func (l *life) end(ctx context.Context, uuid eventsocket.UUID, message string) (verdict, error) {
	reply, err := l.do(ctx, eventsocket.API("uuid_kill", uuid))
	if err != nil {
		return verdict{}, err
	}
	if reply.Failed() && !strings.Contains(reply.Body, "No such channel") {
		return failed(reply), nil
	}
	return success(message), nil
}

// hangupCaller ends the other leg of a call, or the call itself if there is none.
func (l *life) hangupCaller(r service.Request, in fields) {
	if in.text("uuid") == "" {
		refuse(r, "UUID required")
		return
	}
	gone := func() { alreadyEnded(r, "Call terminated") }
	l.channelOr(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		perform(r, func(ctx context.Context) (verdict, error) {
			other, found, err := l.otherLeg(ctx, uuid)
			if err != nil {
				return verdict{}, err
			}
			message := "Call terminated"
			if found {
				uuid, message = other, "Caller terminated"
			}
			return l.end(ctx, uuid, message)
		})
	}, gone)
}

// otherLeg returns the channel that a channel talks with now, as the switch says. The variable bridge_uuid and earlier
// events would name one also when the two have parted, which may talk with somebody of another domain by then.
func (l *life) otherLeg(ctx context.Context, uuid eventsocket.UUID) (other eventsocket.UUID, found bool, err error) {
	value, err := l.variable(ctx, uuid, eventsocket.Text("signal_bond"))
	if err != nil {
		return other, false, err
	}
	other, err = eventsocket.ParseUUID(value)
	return other, err == nil, nil
}

// context returns where a call of the asker's domain goes on. Pages send the domain, and nothing else is allowed.
func (l *life) context(r service.Request, in fields) (eventsocket.Arg, bool) {
	domain := r.Subscriber().DomainName
	if context := in.text("context"); context != "" && context != domain {
		refuse(r, "Invalid context")
		return eventsocket.Arg{}, false
	}
	arg, err := eventsocket.NewArg(domain)
	if err != nil {
		refuse(r, "Invalid context")
		return eventsocket.Arg{}, false
	}
	return arg, true
}

// target reads the UUID and the number of an action.
func target(r service.Request, in fields, missing, invalid string) (number eventsocket.Arg, ok bool) {
	destination := in.text("destination")
	if in.text("uuid") == "" || destination == "" {
		refuse(r, missing)
		return number, false
	}
	if extension := in.text("destination_extension"); extension != "" {
		destination = extension
	}
	number, err := eventsocket.NewArg(destination)
	if err != nil || !isNumber(destination) {
		refuse(r, invalid)
		return number, false
	}
	return number, true
}

// transfer sends a call, or its other leg, to a number.
func (l *life) transfer(r service.Request, in fields) {
	delete(in, "destination_extension")
	number, ok := target(r, in, "UUID and destination required", "Invalid destination")
	if !ok {
		return
	}
	at, ok := l.context(r, in)
	if !ok {
		return
	}
	l.channel(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		words := []eventsocket.Argument{uuid, number, eventsocket.Text("XML"), at}
		if in.yes("bleg") {
			words = []eventsocket.Argument{uuid, eventsocket.Text("-bleg"), number, eventsocket.Text("XML"), at}
		}
		l.command(r, eventsocket.API("uuid_transfer", words...), "Call transferred")
	})
}

// command runs a command and answers with the message, unless the switch refuses.
func (l *life) command(r service.Request, command eventsocket.Command, message string) {
	perform(r, func(ctx context.Context) (verdict, error) { return l.try(ctx, command, message) })
}

func (l *life) try(ctx context.Context, command eventsocket.Command, message string) (verdict, error) {
	reply, err := l.do(ctx, command)
	if err != nil {
		return verdict{}, err
	}
	if reply.Failed() {
		return failed(reply), nil
	}
	return success(message), nil
}

// intercept sends the caller of a call to another extension.
func (l *life) intercept(r service.Request, in fields) {
	number, ok := target(r, in, "UUID and destination extension required", "Invalid destination extension")
	if !ok {
		return
	}
	at, ok := l.context(r, in)
	if !ok {
		return
	}
	l.channel(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		perform(r, func(ctx context.Context) (verdict, error) {
			other, found, err := l.otherLeg(ctx, uuid)
			if err != nil {
				return verdict{}, err
			}
			if found {
				uuid = other
			}
			return l.try(ctx, eventsocket.API("uuid_transfer", uuid, number, eventsocket.Text("XML"), at), "Call intercepted")
		})
	})
}
