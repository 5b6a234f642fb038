package web

import "bytes"

// mediaType is that of a stream of events.
const mediaType = "text/event-stream"

// heartbeat is a comment, which keeps proxies from ending a stream that says nothing.
var heartbeat = []byte(":\n\n")

// appendEvent appends an event whose data is JSON. A line of the stream ends at each LF and CR, so these become spaces:
// in JSON they stand between values only, and nothing that a peer has written can begin another line. The kind and the id
// may be empty, and have neither LF nor CR.
func appendEvent(dst []byte, kind, id string, data []byte) []byte {
	if kind != "" {
		dst = append(append(append(dst, "event: "...), kind...), '\n')
	}
	if id != "" {
		dst = append(append(append(dst, "id: "...), id...), '\n')
	}
	dst = append(dst, "data: "...)
	for {
		at := bytes.IndexAny(data, "\r\n")
		if at < 0 {
			break
		}
		dst = append(append(dst, data[:at]...), ' ')
		data = data[at+1:]
	}
	return append(append(dst, data...), "\n\n"...)
}
