package conformance

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// runner does the steps of one scenario against one daemon and writes down what it sees.
type runner struct {
	addr     func(conn string) string // where a connection goes
	tokenDir string
	patience time.Duration // how long a step waits at least for what it awaits
	sockets  map[string]*socket
	tokens   map[string]token
	captured map[string]string
	transcript
}

// play runs steps and a last probe and returns the transcript's lines. A step that cannot be done,
// for want of an earlier answer say, ends the run with a line of its own. A step waits for patience at least.
// Addr returns the address that a connection of the scenario goes to; "" is the last probe.
func play(addr func(conn string) string, tokenDir string, patience time.Duration, steps []step) []string {
	r := &runner{
		addr: addr, tokenDir: tokenDir, patience: patience,
		sockets: map[string]*socket{}, tokens: map[string]token{}, captured: map[string]string{},
	}
	defer func() {
		for _, s := range r.sockets {
			s.close()
		}
		for _, tk := range r.tokens {
			_ = os.Remove(tk.file) // the daemon removed most
		}
	}()
	for i, s := range steps {
		if err := r.do(s); err != nil {
			r.say("! step %d, %s: %v", i+1, s.Do, err)
			return r.lines
		}
	}
	r.probe()
	return r.lines
}

func (r *runner) do(s step) error {
	switch s.Do {
	case "token":
		return r.writeToken(s)
	case "token_file":
		return r.lookAtToken(s)
	case "sleep":
		pause(time.Duration(s.Ms) * time.Millisecond)
		return nil
	case "wait_second_boundary":
		pause(untilNextSecond(time.Now()))
		return nil
	case "connect", "tcp":
		return r.open(s)
	}
	socket := r.sockets[s.Conn]
	if socket == nil {
		return fmt.Errorf("connection %q was never opened", s.Conn)
	}
	switch s.Do {
	case "auth":
		return r.authenticate(socket, s)
	case "send", "frame", "burst", "raw", "close":
		return r.send(socket, s)
	case "drop":
		socket.close()
		return nil
	case "expect":
		return r.expect(socket, s)
	case "none":
		r.expectNothing(socket, s)
		return nil
	case "expect_close":
		r.expectClose(socket, s)
		return nil
	case "expect_bytes":
		return r.expectBytes(socket, s)
	default:
		return errors.New("no such step")
	}
}

func (r *runner) writeToken(s step) error {
	if s.Spec == nil {
		return errors.New("no spec")
	}
	tk, err := writeToken(r.tokenDir, *s.Spec, time.Now())
	if err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	r.tokens[s.Token] = tk
	return nil
}

func (r *runner) lookAtToken(s step) error {
	tk, ok := r.tokens[s.Token]
	if !ok {
		return fmt.Errorf("token %q was never written", s.Token)
	}
	_, err := os.Lstat(tk.file)
	switch {
	case err == nil:
		r.say("token file of %s: exists", s.Token)
	case errors.Is(err, os.ErrNotExist):
		r.say("token file of %s: missing", s.Token)
	default:
		return err
	}
	return nil
}

// authenticate sends the message of protocol 4.1 and awaits one answer.
func (r *runner) authenticate(socket *socket, s step) error {
	tk, ok := r.tokens[s.Token]
	if !ok {
		return fmt.Errorf("token %q was never written", s.Token)
	}
	message := map[string]any{"service": "authentication", "token": map[string]string{"name": tk.name, "hash": tk.hash}}
	if s.RequestID != nil {
		message["request_id"] = *s.RequestID
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	socket.write(textFrame(string(text)))
	return r.expect(socket, s)
}

// send puts everything a step sends into one segment, or into two where it says so.
func (r *runner) send(socket *socket, s step) error {
	data, err := r.outgoing(s)
	if err != nil {
		return err
	}
	if s.SplitAt > len(data) {
		return fmt.Errorf("split at %d of %d bytes", s.SplitAt, len(data))
	}
	if s.SplitAt > 0 {
		socket.write(data[:s.SplitAt])
		pause(time.Duration(s.SplitMs) * time.Millisecond)
		data = data[s.SplitAt:]
	}
	socket.write(data)
	return nil
}

func (r *runner) outgoing(s step) ([]byte, error) {
	switch s.Do {
	case "send":
		text, err := r.expand(s.Text)
		return textFrame(text), err
	case "frame":
		if s.Frame == nil {
			return nil, errors.New("no frame")
		}
		return r.join(*s.Frame)
	case "burst":
		return r.join(s.Frames...)
	case "raw":
		return hex.DecodeString(s.Hex)
	default: // close
		var payload []byte
		if s.Code != 0 {
			payload = []byte{byte(s.Code >> 8), byte(s.Code)}
		}
		return appendFrame(nil, 0x80|opClose, uint64(len(payload)), true, payload), nil
	}
}

func (r *runner) join(specs ...frameSpec) ([]byte, error) {
	var data []byte
	for _, spec := range specs {
		text, err := r.expand(spec.Text)
		if err != nil {
			return nil, err
		}
		spec.Text = text
		frame, err := spec.bytes()
		if err != nil {
			return nil, err
		}
		data = append(data, frame...)
	}
	return data, nil
}
