package calls

import (
	"context"
	"fmt"
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// hangupRequest is the payload of hangup.
type hangupRequest struct {
	UUID event.Text `json:"unique_id"`
}

// noChannel is what the switch answers to a command for a channel that does not exist.
const noChannel = "-ERR No such channel!"

// hangup ends a channel. The answer is the switch's, or what the switch would say if there is no such channel.
func (l *life) hangup(r service.Request, in hangupRequest) error {
	if err := allow(r, mayHangup); err != nil {
		return err
	}
	uuid, err := eventsocket.ParseUUID(string(in.UUID))
	if err != nil {
		return service.Errorf(envelope.BadRequest.Code, "unique_id is not a UUID")
	}
	l.own(r, uuid, func() {
		l.command(r, eventsocket.API("uuid_kill", uuid), func(reply eventsocket.Reply) { r.Reply(strings.TrimSpace(reply.Body)) })
	}, func() { r.Reply(noChannel) })
	return nil
}

// eavesdropRequest is the payload of eavesdrop.
type eavesdropRequest struct {
	UUID        event.Text `json:"unique_id"`
	Name        event.Text `json:"origination_caller_id_name"`
	Contact     event.Text `json:"origination_caller_contact"`
	Number      event.Text `json:"caller_caller_id_number"`
	Destination event.Text `json:"caller_destination_number"`
}

// eavesdrop rings an extension of the asker's domain, which then hears the channel. The answer says that the switch
// has begun.
func (l *life) eavesdrop(r service.Request, in eavesdropRequest) error {
	if err := allow(r, mayEavesdrop); err != nil {
		return err
	}
	uuid, command, err := in.command(r.Subscriber().DomainName)
	if err != nil {
		return err
	}
	l.own(r, uuid, func() {
		l.command(r, command, func(reply eventsocket.Reply) {
			if reply.Failed() {
				r.FailWith(service.Errorf(envelope.Unavailable.Code, "the switch refused the command"))
				return
			}
			r.Reply(nil)
		})
	}, func() { r.FailWith(service.Errorf(envelope.NotFound.Code, "there is no such call")) })
	return nil
}

// command returns the command, and the channel that it is about, or an error that says what is wrong with the
// request.
func (in *eavesdropRequest) command(domain string) (uuid eventsocket.UUID, command eventsocket.Command, err error) {
	uuid, err = eventsocket.ParseUUID(string(in.UUID))
	if err != nil {
		return uuid, command, service.Errorf(envelope.BadRequest.Code, "unique_id is not a UUID")
	}
	contact, err := eventsocket.NewDestination(string(in.Contact), domain)
	if err != nil {
		return uuid, command, service.Errorf(envelope.BadRequest.Code, "origination_caller_contact is not an extension")
	}
	name, err := eventsocket.NewName(strings.Trim(string(in.Name), " "))
	if err != nil {
		return uuid, command, service.Errorf(envelope.BadRequest.Code, "origination_caller_id_name has other characters than letters, digits, spaces and ._-")
	}
	number, ok := number(string(in.Number))
	if !ok {
		return uuid, command, service.Errorf(envelope.BadRequest.Code, "caller_caller_id_number has other characters than digits and *#+")
	}
	if _, err := eventsocket.NewArg(string(in.Destination)); err != nil && in.Destination != "" {
		return uuid, command, service.Errorf(envelope.BadRequest.Code, "caller_destination_number is not a number")
	}
	variables := eventsocket.Variables(eventsocket.VarName("origination_caller_id_name", name), number)
	dial := eventsocket.Join(variables, eventsocket.Text("user/"), contact)
	return uuid, eventsocket.BGAPI("originate", dial, eventsocket.App("eavesdrop", uuid)), nil
}

// number returns the variable with the caller's number, which may be empty.
func number(s string) (eventsocket.Variable, bool) {
	const name = "origination_caller_id_number"
	if strings.Trim(s, "0123456789*#+") != "" {
		return eventsocket.Variable{}, false
	}
	if s == "" {
		empty, err := eventsocket.NewName("")
		return eventsocket.VarName(name, empty), err == nil
	}
	arg, err := eventsocket.NewArg(s)
	return eventsocket.Var(name, arg), err == nil
}

// command runs a command outside the service's goroutine, and then says what came of it, unless that is an error.
func (l *life) command(r service.Request, command eventsocket.Command, then func(eventsocket.Reply)) {
	r.Go(func(ctx context.Context) func() {
		reply, err := l.do(ctx, command)
		return func() {
			if err != nil {
				r.FailWith(refusal(err))
				return
			}
			then(reply)
		}
	})
}

// do runs a command of the switch, which may take Timeout.
func (l *life) do(ctx context.Context, command eventsocket.Command) (eventsocket.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	reply, err := l.Commands.Do(ctx, command)
	if err != nil {
		return reply, fmt.Errorf("ask the switch: %w", err)
	}
	return reply, nil
}
