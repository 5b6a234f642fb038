package transport

import (
	"strowger/actors"
	"strowger/transport/wire"
)

// codeOf returns the code of the close frame that tells the peer why its connection ends.
func (s *socket) codeOf(why actors.End) wire.CloseCode {
	if why == actors.ReadOver {
		return s.reader.last
	}
	return [...]wire.CloseCode{
		actors.TokenExpired:    wire.CloseTokenExpired,
		actors.AuthTimeout:     wire.CloseAuthTimeout,
		actors.TooManyAttempts: wire.CloseAuthAttempts,
		actors.NoPlace:         wire.CloseTryLater,
		actors.GoingAway:       wire.CloseGoingAway,
		actors.Crashed:         wire.CloseInternalError,
	}[why]
}
