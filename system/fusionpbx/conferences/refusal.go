package conferences

import (
	"context"
	"errors"
	"fmt"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// explain returns the status of an answer to somebody for whom the switch could not be asked, and the reason.
func explain(err error) (status int, reason string) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return envelope.DeadlineExceeded.Code, "the switch did not answer in time"
	case errors.Is(err, eventsocket.ErrNotConnected):
		return envelope.Unavailable.Code, "there is no connection to the switch"
	case errors.Is(err, eventsocket.ErrDisconnected):
		return envelope.Unavailable.Code, "the connection to the switch ended before the answer"
	case errors.Is(err, eventsocket.ErrBusy), errors.Is(err, errTooBusy):
		return envelope.Unavailable.Code, "too many commands wait for the switch"
	case errors.Is(err, conference.ErrList), errors.Is(err, eventsocket.ErrTooLarge):
		return envelope.Unavailable.Code, "the switch's answer cannot be read"
	}
	return envelope.Unavailable.Code, "the switch cannot be asked"
}

func refusal(err error) error {
	status, reason := explain(err)
	return fmt.Errorf("%w: %w", service.Errorf(status, "%s", reason), err)
}
