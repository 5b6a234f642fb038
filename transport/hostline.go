package transport

// hostLine finds out whether the head of a request that is written to it has a Host line. The parser
// removes that line, and takes the host from an absolute target where there is none.
type hostLine struct {
	found bool

	matched int  // bytes of "host:" that the line begins with; -1: it begins with something else
	long    bool // the line has bytes besides its end
	ended   bool // the head is over
}

// Write looks at the next part of the head. What follows the head is ignored.
func (h *hostLine) Write(p []byte) (int, error) {
	for _, c := range p {
		if h.ended || h.found {
			break
		}
		h.next(c)
	}
	return len(p), nil
}

func (h *hostLine) next(c byte) {
	const name = "host:"
	switch {
	case c == '\n':
		h.ended = !h.long
		h.matched, h.long = 0, false
		return
	case c != '\r':
		h.long = true
	}
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if h.matched < 0 || c != name[h.matched] {
		h.matched = -1
		return
	}
	h.matched++
	h.found = h.matched == len(name)
}
