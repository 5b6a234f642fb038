package switchsim

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// writeTimeout is how long a client may not read before the simulator closes its connection.
const writeTimeout = 10 * time.Second

// maxCommand is the longest command, in bytes.
const maxCommand = 64 << 10

const goodbye = "Disconnected, goodbye.\n"

// conn is one client.
type conn struct {
	simulator *Simulator
	socket    net.Conn
	number    int
	jobs      int

	writing sync.Mutex // held while one message is written

	// Simulator.mu protects these.
	listens bool
	filters [][2]string
}

func (c *conn) serve() {
	faults := c.simulator.opts.Faults
	if faults.Banner != "" {
		c.write([]byte(faults.Banner))
	}
	if faults.Reject {
		c.say("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")
		return
	}
	c.say("Content-Type: auth/request\nSimulator: strowger, plays a recording of a real FreeSWITCH\n\n")
	in := bufio.NewReaderSize(c.socket, 4096)
	authenticated := false
	for {
		command, ok := readCommand(in)
		if !ok {
			return
		}
		c.note(command)
		if !authenticated {
			if faults.RefuseAuth || command != "auth "+c.simulator.opts.Password {
				c.reply("-ERR invalid")
				c.disconnect()
				return
			}
			authenticated = true
			c.reply("+OK accepted")
			continue
		}
		if !faults.Mute && !c.answer(command) {
			return
		}
	}
}

// answer runs one command and reports whether the connection goes on.
func (c *conn) answer(command string) bool {
	verb, rest, _ := strings.Cut(command, " ")
	switch {
	case verb == "api" && rest != "":
		text := c.simulator.answer(rest)
		if delay := c.simulator.opts.Faults.Delay; delay != nil {
			time.Sleep(delay(rest))
		}
		c.say(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(text), text))
	case verb == "bgapi" && rest != "":
		c.background(rest)
	case verb == "event" && strings.HasPrefix(rest, "plain "):
		c.reply("+OK event listener enabled plain")
		c.listen()
	case verb == "filter" && rest != "":
		c.filter(rest)
	case verb == "linger":
		c.reply("-ERR not controlling a session")
	case verb == "exit":
		c.reply("+OK bye")
		c.disconnect()
		return false
	default:
		c.reply("-ERR command not found")
	}
	return true
}

func (c *conn) listen() {
	c.simulator.mu.Lock()
	defer c.simulator.mu.Unlock()
	c.listens = true
	c.simulator.notify()
}

func (c *conn) filter(rest string) {
	header, value, ok := strings.Cut(rest, " ")
	if !ok || header == "delete" {
		c.reply("-ERR invalid syntax")
		return
	}
	c.simulator.mu.Lock()
	c.filters = append(c.filters, [2]string{strings.ToLower(header), value})
	c.simulator.mu.Unlock()
	c.reply(fmt.Sprintf("+OK filter added. [%s]=[%s]", header, value))
}

// background answers at once and sends the result as an event.
func (c *conn) background(command string) {
	command, _, _ = strings.Cut(command, "\n")
	c.jobs++
	id := fmt.Sprintf("0b000000-0000-4000-8000-%06d%06d", c.number, c.jobs)
	c.say("Content-Type: command/reply\nReply-Text: +OK Job-UUID: " + id + "\nJob-UUID: " + id + "\n\n")
	text := c.simulator.answer(command)
	body := fmt.Sprintf("Event-Name: BACKGROUND_JOB\nJob-UUID: %s\nContent-Length: %d\n\n%s", id, len(text), text)
	event := newEvent(0, frame([]byte(body)))
	c.simulator.send(event, event.Raw)
}

// passes reports whether the filters let the event pass: without filters everything does, else one must
// match. The caller holds Simulator.mu.
func (c *conn) passes(event Event) bool {
	for _, filter := range c.filters {
		if value, ok := event.headers[filter[0]]; ok && strings.EqualFold(value, filter[1]) {
			return true
		}
	}
	return len(c.filters) == 0
}

// onlyJobs reports whether the client wants no events but the results of background commands.
func (c *conn) onlyJobs() bool {
	return len(c.filters) == 1 && c.filters[0] == [2]string{"event-name", "BACKGROUND_JOB"}
}

func (c *conn) note(command string) {
	verb, _, _ := strings.Cut(command, " ")
	if verb == "auth" {
		command = verb
	}
	at := c.simulator.now()
	c.simulator.opts.Log.Debug("switch simulator got a command", "conn", c.number, "command", verb)
	c.simulator.mu.Lock()
	defer c.simulator.mu.Unlock()
	c.simulator.commands = append(c.simulator.commands, Command{Conn: c.number, At: at, Text: command})
	c.simulator.notify()
}

func (c *conn) reply(text string) { c.say("Content-Type: command/reply\nReply-Text: " + text + "\n\n") }

func (c *conn) disconnect() {
	c.say(fmt.Sprintf("Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%s", len(goodbye), goodbye))
}

func (c *conn) say(text string) { c.write([]byte(text)) }

// write sends the bytes, in pieces if Faults.Split says so. It closes the connection if the client does not read.
func (c *conn) write(b []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.socket.SetWriteDeadline(time.Now().Add(writeTimeout))
	for len(b) > 0 {
		n := c.simulator.piece(len(b))
		if _, err := c.socket.Write(b[:n]); err != nil {
			c.socket.Close()
			return
		}
		b = b[n:]
	}
}

// piece returns how many of n bytes are written next.
func (s *Simulator) piece(n int) int {
	if s.opts.Faults.Split <= 0 {
		return n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(n, 1+s.random.IntN(s.opts.Faults.Split))
}

// readCommand returns the lines up to a blank one.
func readCommand(in *bufio.Reader) (string, bool) {
	var command strings.Builder
	for command.Len() <= maxCommand {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", false
		}
		if len(line) == 1 && command.Len() == 0 {
			continue
		}
		if len(line) == 1 {
			return strings.TrimRight(command.String(), "\n"), true
		}
		command.Write(line)
	}
	return "", false
}
