package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What goes over the pipes is a sequence of frames: a kind, the length of the body as four bytes, the most significant first,
// and the body.

// frameKind is what a frame says. Numbers in bodies are as encoding/binary writes them with AppendUvarint, and a text is its
// length and its bytes.
type frameKind byte

// Frames to the child.
const (
	frameStart    frameKind = iota + 1 // settings as JSON
	frameAsk                           // see appendAsk
	frameGone                          // number of a request: nobody waits for it any more
	frameExpired                       // number of a request: its deadline has come
	frameReload                        // the home reloads its settings
	frameJoined                        // another node passes on what the service says
	frameStop                          // the service is to finish what it has, and stop
	framePing                          // wants a framePong
	frameGathered                      // number of a gathering, and the answers as JSON
)

// Frames from the child.
const (
	frameHello    frameKind = iota + 64 // number: version
	frameUp                             // Setup has returned
	frameFailed                         // number of the request or 0, task, reason, stack, whether it hangs
	frameFinished                       // the service has ended by itself
	frameTell                           // number of the request, flags, message or nothing
	frameTaken                          // numbers of requests that hold up nobody any more
	frameSay                            // flags, message
	frameWill                           // key, message or nothing
	frameShare                          // number of the request
	frameGather                         // number of the request, number of the gathering, milliseconds
	frameLog                            // level, message, attributes as JSON
	framePong                           // answers a framePing
)

// version is that of the frames. A program that was replaced on the disk may start a child with another one.
const version = 1

const headerBytes = 5

var (
	errLong   = errors.New("a message is too long")
	errFrame  = errors.New("a message is malformed")
	errClosed = errors.New("the process has closed its pipe")
)

// newFrame returns a frame without a body, and room for one.
func newFrame(kind frameKind, size int) []byte {
	frame := make([]byte, headerBytes, headerBytes+size)
	frame[0] = byte(kind)
	return frame
}

// seal writes the length of the body into a frame.
func seal(frame []byte) []byte {
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-headerBytes)) //nolint:gosec // callers have bounded it
	return frame
}

// wholeRead is how much memory is taken for a body before any of it has come.
const wholeRead = 64 << 10

// readFrame returns the next frame. A body of more than most bytes is not read.
func readFrame(in io.Reader, most int) (frameKind, []byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, nil, errClosed
		}
		return 0, nil, fmt.Errorf("read frame: %w", err)
	}
	size := binary.BigEndian.Uint32(header[1:])
	if uint64(size) > uint64(most) {
		return 0, nil, errLong
	}
	if size <= wholeRead {
		body := make([]byte, size)
		if _, err := io.ReadFull(in, body); err != nil {
			return 0, nil, fmt.Errorf("read frame: %w", err)
		}
		return frameKind(header[0]), body, nil
	}
	var body bytes.Buffer
	if _, err := io.CopyN(&body, in, int64(size)); err != nil {
		return 0, nil, fmt.Errorf("read frame: %w", err)
	}
	return frameKind(header[0]), body.Bytes(), nil
}
