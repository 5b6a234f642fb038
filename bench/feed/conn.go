package feed

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
)

// conn is one client of the event socket.
type conn struct {
	feed   *Feed
	socket net.Conn

	writing sync.Mutex // held while one message is written

	// Feed.mu protects these.
	listens bool
	filters [][2]string
}

func (c *conn) serve() {
	defer c.feed.forget(c)
	c.say("Content-Type: auth/request\n\n")
	in := bufio.NewReader(c.socket)
	for {
		command, err := readCommand(in)
		if err != nil {
			return
		}
		c.answer(command)
	}
}

func readCommand(in *bufio.Reader) (string, error) {
	var command string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line = strings.TrimRight(line, "\n"); line == "" {
			if command != "" {
				return command, nil
			}
			continue
		}
		if command == "" { // further lines are headers that nothing here needs
			command = line
		}
	}
}

func (c *conn) answer(command string) {
	verb, rest, _ := strings.Cut(command, " ")
	switch verb {
	case "auth":
		c.reply("+OK accepted")
	case "event":
		c.change(func() { c.listens = true })
		c.reply("+OK event listener enabled plain")
	case "filter":
		header, value, _ := strings.Cut(rest, " ")
		c.change(func() { c.filters = append(c.filters, [2]string{strings.ToLower(header), value}) })
		c.reply("+OK filter added. [" + header + "]=[" + value + "]")
	case "api":
		text := c.feed.answer(rest)
		c.say(fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(text), text))
	default:
		c.reply("-ERR command not found")
	}
}

func (c *conn) change(f func()) {
	c.feed.mu.Lock()
	defer c.feed.mu.Unlock()
	f()
}

// passes reports whether the client wants the event. The caller holds Feed.mu.
func (c *conn) passes(e *event) bool {
	if !c.listens {
		return false
	}
	for _, filter := range c.filters {
		if strings.EqualFold(e.headers[filter[0]], filter[1]) {
			return true
		}
	}
	return false
}

func (c *conn) reply(text string) { c.say("Content-Type: command/reply\nReply-Text: " + text + "\n\n") }

func (c *conn) say(text string) { c.write([]byte(text)) }

// write waits until the client has room. A client that has gone is forgotten by serve.
func (c *conn) write(b []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.socket.Write(b)
}
