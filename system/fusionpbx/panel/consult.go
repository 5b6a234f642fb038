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
	answered := err == nil && isNumber(in.text("destination"))
	l.own(r, parked, func([]channels.Leg) {
		l.own(r, operator, func([]channels.Leg) {
			perform(r, func(ctx context.Context) (verdict, error) {
				other, found, err := l.otherLeg(ctx, operator)
				switch {
				case err != nil:
					return verdict{}, err
				case found:
					return l.connect(ctx, parked, other, operator)
				case !answered:
					return failure("Cannot find destination channel"), nil
				}
				if v, err := l.end(ctx, operator, ""); err != nil || !v.Success {
					return v, err
				}
				return l.try(ctx, eventsocket.API("uuid_transfer", parked, number, eventsocket.Text("XML"), at), "Transfer completed (destination still ringing)")
			})
		}, func() { noChannel(r) })
	}, func() { noChannel(r) })
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
	parked, err := eventsocket.ParseUUID(in.text("parked_uuid"))
	operator := in.text("operator_uuid")
	if _, bad := eventsocket.ParseUUID(operator); err != nil || operator != "" && bad != nil {
		refuse(r, "Invalid UUID")
		return
	}
	source := in.text("source_extension")
	back, err := eventsocket.NewDestination(source, r.Subscriber().DomainName)
	if source != "" && (err != nil || !isNumber(source)) {
		refuse(r, "Invalid source extension")
		return
	}
	begin := func(side []eventsocket.UUID) {
		if source != "" && !l.mayCall(r) {
			return
		}
		perform(r, func(ctx context.Context) (verdict, error) { return l.takeBack(ctx, parked, side, source != "", back) })
	}
	l.own(r, parked, func([]channels.Leg) {
		uuid, err := eventsocket.ParseUUID(operator)
		if err != nil {
			begin(nil)
			return
		}
		// An operator's side that has gone has ended.
		l.own(r, uuid, func([]channels.Leg) { begin([]eventsocket.UUID{uuid}) }, func() { begin(nil) })
	}, func() { noChannel(r) })
}

// takeBack ends the operator's side, if there is one, and calls the extension, if there is one, or ends the call.
func (l *life) takeBack(ctx context.Context, parked eventsocket.UUID, side []eventsocket.UUID, call bool, back eventsocket.Destination) (verdict, error) {
	for _, operator := range side {
		if v, err := l.end(ctx, operator, ""); err != nil || !v.Success {
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
