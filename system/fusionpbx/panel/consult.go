package panel

import (
	"context"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// consult begins an attended transfer: the number is called while the caller waits.
func (l *life) consult(r service.Request, in fields) {
	delete(in, "destination_extension")
	if _, ok := target(r, in, "UUID and destination required", "Invalid destination"); !ok {
		return
	}
	to, err := eventsocket.NewDestination(in.text("destination"), r.Subscriber().DomainName)
	if err != nil {
		refuse(r, "Invalid destination")
		return
	}
	l.channel(r, in, func(uuid eventsocket.UUID, _ []channels.Leg) {
		if !l.mayCall(r) {
			return
		}
		application := eventsocket.Join(eventsocket.Text("att_xfer::user/"), to)
		l.command(r, eventsocket.API("uuid_broadcast", uuid, application, eventsocket.Text("both")), "Attended transfer started")
	})
}

// consultComplete connects the caller who waits with whom the operator talks to, and lets the operator go.
func (l *life) consultComplete(r service.Request, in fields) {
	if in.text("parked_uuid") == "" || in.text("operator_uuid") == "" {
		refuse(r, "parked_uuid and operator_uuid required")
		return
	}
	parked, err1 := eventsocket.ParseUUID(in.text("parked_uuid"))
	operator, err2 := eventsocket.ParseUUID(in.text("operator_uuid"))
	if err1 != nil || err2 != nil {
		refuse(r, "Invalid UUID")
		return
	}
	at, ok := l.context(r, in)
	if !ok {
		return
	}
	number, err := eventsocket.NewArg(in.text("destination"))
	to := rings{number: number, at: at, known: err == nil && isNumber(in.text("destination"))}
	l.own(r, parked, func([]channels.Leg) {
		l.own(r, operator, func([]channels.Leg) {
			perform(r, func(ctx context.Context) (verdict, error) { return l.complete(ctx, parked, operator, to) })
		}, func() { // The operator has hung up, and the caller still waits.
			perform(r, func(ctx context.Context) (verdict, error) { return l.sendOn(ctx, parked, to) })
		})
	}, func() { noChannel(r) })
}

// rings is the number that rings while the caller waits.
type rings struct {
	number, at eventsocket.Arg
	known      bool // the page has said it
}

// complete connects the caller with whom the operator talks to. If nobody has answered yet, it ends the operator's side and
// sends the caller to the number.
func (l *life) complete(ctx context.Context, parked, operator eventsocket.UUID, to rings) (verdict, error) {
	other, found, err := l.otherLeg(ctx, operator)
	switch {
	case err != nil:
		return verdict{}, err
	case found:
		return l.connect(ctx, parked, other, operator)
	case to.known: // otherwise sendOn refuses, and the operator still has the call
		if v, err := l.end(ctx, operator, ""); err != nil || !v.Success {
			return v, err
		}
	}
	return l.sendOn(ctx, parked, to)
}

// sendOn sends the caller to the number.
func (l *life) sendOn(ctx context.Context, parked eventsocket.UUID, to rings) (verdict, error) {
	if !to.known {
		return failure("Cannot find destination channel"), nil
	}
	return l.try(ctx, eventsocket.API("uuid_transfer", parked, to.number, eventsocket.Text("XML"), to.at), "Transfer completed (destination still ringing)")
}

// connect bridges two channels and ends the operator's.
func (l *life) connect(ctx context.Context, a, b, operator eventsocket.UUID) (verdict, error) {
	reply, err := l.do(ctx, eventsocket.API("uuid_bridge", a, b))
	if err != nil {
		return verdict{}, err
	}
	if reply.Failed() {
		return failed(reply), nil // the operator still has the call
	}
	return l.end(ctx, operator, "Transfer completed")
}

// consultCancel ends the operator's side and calls the operator's extension again for the caller who waits.
func (l *life) consultCancel(r service.Request, in fields) {
	if in.text("parked_uuid") == "" {
		refuse(r, "parked_uuid required")
		return
	}
	parked, err1 := eventsocket.ParseUUID(in.text("parked_uuid"))
	operator, err2 := optionalUUID(in.text("operator_uuid"))
	if err1 != nil || err2 != nil {
		refuse(r, "Invalid UUID")
		return
	}
	source := in.text("source_extension")
	back, err := eventsocket.NewDestination(source, r.Subscriber().DomainName)
	if source != "" && (err != nil || !isNumber(source)) {
		refuse(r, "Invalid source extension")
		return
	}
	l.own(r, parked, func([]channels.Leg) {
		begin := func(operator *eventsocket.UUID) {
			if source != "" && !l.mayCall(r) {
				return
			}
			perform(r, func(ctx context.Context) (verdict, error) {
				return l.takeBack(ctx, parked, operator, source != "", back)
			})
		}
		if operator == nil {
			begin(nil)
			return
		}
		// An operator's side that has gone has ended.
		l.own(r, *operator, func([]channels.Leg) { begin(operator) }, func() { begin(nil) })
	}, func() { l.consultOver(r, operator) })
}

// consultOver ends the operator's side when the caller has hung up. It calls nobody. Without an operator's side there is
// nothing to cancel.
func (l *life) consultOver(r service.Request, operator *eventsocket.UUID) {
	if operator == nil {
		noChannel(r)
		return
	}
	const message = "Transfer cancelled"
	l.own(r, *operator, func([]channels.Leg) {
		perform(r, func(ctx context.Context) (verdict, error) { return l.end(ctx, *operator, message) })
	}, func() { alreadyEnded(r, message) })
}

// optionalUUID parses a UUID, unless the text is empty.
func optionalUUID(text string) (*eventsocket.UUID, error) {
	if text == "" {
		return nil, nil
	}
	uuid, err := eventsocket.ParseUUID(text)
	return &uuid, err
}

// takeBack ends the operator's side, if there is one, and calls the extension, if there is one, or ends the call.
func (l *life) takeBack(ctx context.Context, parked eventsocket.UUID, operator *eventsocket.UUID, call bool, back eventsocket.Destination) (verdict, error) {
	if operator != nil {
		if v, err := l.end(ctx, *operator, ""); err != nil || !v.Success {
			return v, err
		}
	}
	if call {
		dial := eventsocket.Join(eventsocket.Text("user/"), back)
		v, err := l.try(ctx, eventsocket.API("bgapi originate", dial, eventsocket.App("bridge", parked)), "Transfer cancelled, reconnecting")
		if err != nil || v.Success {
			return v, err
		}
	}
	return l.end(ctx, parked, "Transfer cancelled")
}
