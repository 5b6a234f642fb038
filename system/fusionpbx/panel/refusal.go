package panel

import (
	"context"
	"errors"
	"fmt"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// refusal says to the asker why the switch or the database could not be asked.
func refusal(err error) error {
	status, reason := envelope.Unavailable.Code, "the switch cannot be asked"
	unavailable, ok := errors.AsType[*database.UnavailableError](err)
	switch {
	case ok:
		reason = unavailable.Reason
	case errors.Is(err, database.ErrTooManyRows):
		reason = "FusionPBX's database has too many rows for one answer"
	case errors.Is(err, context.DeadlineExceeded):
		status, reason = envelope.DeadlineExceeded.Code, "the switch did not answer in time"
	case errors.Is(err, eventsocket.ErrNotConnected):
		reason = "there is no connection to the switch"
	case errors.Is(err, eventsocket.ErrDisconnected):
		reason = "the connection to the switch ended before the answer"
	case errors.Is(err, eventsocket.ErrBusy), errors.Is(err, channels.ErrTooBusy):
		reason = "too many commands wait for the switch"
	case errors.Is(err, channels.ErrList), errors.Is(err, conference.ErrList), errors.Is(err, errRegistrations), errors.Is(err, eventsocket.ErrTooLarge):
		reason = "the switch's answer cannot be read"
	}
	return fmt.Errorf("%w: %w", service.Errorf(status, "%s", reason), err)
}
