package calls

import (
	"context"
	"errors"
	"fmt"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The permissions that requests need, and those that say whose calls a person sees.
const (
	mayView      = "call_active_view"
	mayHangup    = "call_active_hangup"
	mayEavesdrop = "call_active_eavesdrop"
	seesAll      = "call_active_all"
	seesDomain   = "call_active_domain"
)

// allow returns an error unless the asker has the permission. The policy has refused those who have not, but it can
// be changed.
func allow(r service.Request, permission string) error {
	if r.Subscriber().Has(permission) {
		return nil
	}
	return service.Errorf(envelope.Forbidden.Code, "needs the permission %s", permission)
}

// progress tells a page of all calls that it may see, each by a message of its own. The list is the switch's,
// because events do not tell all that is in it. Of the calls of other nodes their instances tell.
func (l *life) progress(r service.Request) error {
	if err := allow(r, mayView); err != nil {
		return err
	}
	l.calls.List(func(now channels.List, err error) {
		if err != nil {
			l.calls.Refused()
			r.FailWith(refusal(err))
			r.Share()
			return
		}
		asker := r.Subscriber()
		for i := range now.Rows {
			if sees(asker, &now.Rows[i]) {
				r.Stream(callState, rowPayload(&now.Rows[i], l.Node))
			}
		}
		r.Share()
		r.End()
	})
	return nil
}

// sees reports whether the policy could let the person see the channel. It saves the work for most of the others; the
// policy decides.
func sees(who *service.Subscriber, r *channels.Row) bool {
	return who.Has(seesAll) || !who.Has(seesDomain) || r.Context == who.DomainName
}

// refusal says to the asker why the switch could not be asked.
func refusal(err error) error {
	status, reason := envelope.Unavailable.Code, "the switch cannot be asked"
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		status, reason = envelope.DeadlineExceeded.Code, "the switch did not answer in time"
	case errors.Is(err, eventsocket.ErrNotConnected):
		reason = "there is no connection to the switch"
	case errors.Is(err, eventsocket.ErrDisconnected):
		reason = "the connection to the switch ended before the answer"
	case errors.Is(err, eventsocket.ErrBusy), errors.Is(err, channels.ErrTooBusy):
		reason = "too many commands wait for the switch"
	case errors.Is(err, channels.ErrList), errors.Is(err, eventsocket.ErrTooLarge):
		reason = "the switch's answer cannot be read"
	}
	return fmt.Errorf("%w: %w", service.Errorf(status, "%s", reason), err)
}
