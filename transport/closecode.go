package transport

import (
	"strowger/actors"
	"strowger/transport/frame"
)

// codeOf returns the code of the close frame that tells the peer why its connection ends.
func (s *socket) codeOf(why actors.End) frame.CloseCode {
	if why == actors.ReadOver {
		return s.reader.last
	}
	return endCode(why)
}

// endCode returns the code of an end that the router decides on.
func endCode(why actors.End) frame.CloseCode {
	return [...]frame.CloseCode{
		actors.ReadOver:        frame.CloseTryLater, // of a stream that does not take what it gets
		actors.TokenExpired:    frame.CloseTokenExpired,
		actors.AuthTimeout:     frame.CloseAuthTimeout,
		actors.TooManyAttempts: frame.CloseAuthAttempts,
		actors.NoPlace:         frame.CloseTryLater,
		actors.GoingAway:       frame.CloseGoingAway,
		actors.Crashed:         frame.CloseInternalError,
		actors.Replaced:        frame.CloseIdle,
		actors.Moved:           frame.CloseNormal,
		actors.Resumed:         frame.CloseResumed,
	}[why]
}
