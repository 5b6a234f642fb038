package transport

// rawHead looks at the bytes of a request's head for what the parser of net/http does not tell. The parser removes
// the Host line and takes the host from an absolute target where there is none. It also takes a line feed alone for
// the end of a line, and lets control characters stand in values and spaces in names. Another parser on the way may see
// other lines there.
type rawHead struct {
	host  bool   // there is a Host line
	wrong string // what is wrong with the lines; empty if nothing is

	line    bool // the request line has begun: empty lines before it do not count
	fields  bool // the request line is over
	value   bool // the line's colon has come
	matched int  // bytes of "host:" that the line begins with; -1: it begins with something else
	long    bool // the line has bytes besides its end
	cr      bool // the last byte is a carriage return
	ended   bool // the head is over
}

// Write looks at the next part of the head. It ignores what follows the head.
func (h *rawHead) Write(p []byte) (int, error) {
	for _, c := range p {
		if h.ended {
			break
		}
		h.check(c)
		h.next(c)
	}
	return len(p), nil
}

// check finds what RFC 9112, sections 2.2 and 5, and RFC 9110, section 5.5, do not allow or let a server refuse.
func (h *rawHead) check(c byte) {
	switch {
	case c == '\n' && !h.cr:
		h.wrong = "a line ends with LF in place of CRLF"
	case c != '\n' && h.cr:
		h.wrong = "CR within a line"
	case c < ' ' && c != '\t' && c != '\r' && c != '\n', c == 0x7f:
		h.wrong = "control character in the head"
	case c == ' ' || c == '\t':
		if h.fields && !h.value {
			h.wrong = "white space in or before a field's name"
		}
	}
	h.cr = c == '\r'
}

// next looks for the Host line and for the empty line that ends the head.
func (h *rawHead) next(c byte) {
	const name = "host:"
	switch {
	case c == '\n':
		h.ended = h.line && !h.long
		h.fields = h.line
		h.matched, h.long, h.value = 0, false, false
		return
	case c == ':':
		h.value = true
		h.long = true
	case c != '\r':
		h.long = true
	}
	h.line = h.line || h.long
	if h.host || !h.fields {
		return
	}
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if h.matched < 0 || c != name[h.matched] {
		h.matched = -1
		return
	}
	h.matched++
	h.host = h.matched == len(name)
}
