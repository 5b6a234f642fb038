package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// closing is a close frame with a code.
func closing(code int, reason string) []byte {
	return whole(opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// closeRows are close frames with every kind of code and reason, and what may follow and precede them.
func closeRows() []exchange {
	var rows []exchange
	add := func(name string, code int, parts ...part) { rows = append(rows, exchange{name, parts, code}) }
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4099, 4999} {
		add(fmt.Sprintf("code %d", code), code, part{send: closing(code, "")})
		add(fmt.Sprintf("code %d with a reason, byte by byte", code), code, part{send: closing(code, "reason"), cut: 1})
	}
	for _, code := range []int{0, 1, 125, 126, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 32768, 65535} {
		add(fmt.Sprintf("code %d, which nobody may send", code), 1002, part{send: closing(code, "")})
		add(fmt.Sprintf("code %d, which nobody may send, with a reason", code), 1002, part{send: closing(code, "reason")})
	}
	for n := range 124 {
		add(fmt.Sprintf("reason of %d bytes", n), 1000, part{send: closing(1000, strings.Repeat("r", n))})
	}
	for _, n := range []int{124, 125, 200, 65534} {
		add(fmt.Sprintf("reason of %d bytes", n), 1002, part{send: closing(1000, strings.Repeat("r", n))})
	}
	for _, text := range goodTexts() {
		add(fmt.Sprintf("reason %+q", text), 1000, part{send: closing(1000, text)})
	}
	for _, bad := range badTexts() {
		if len(bad.text) < 40 {
			add(fmt.Sprintf("reason that is not UTF-8: %+q", bad.text), 1007, part{send: closing(1000, bad.text)})
		}
	}
	add("no code", noCode, part{send: whole(opClose, "")})
	add("no code, byte by byte", noCode, part{send: whole(opClose, ""), cut: 1})
	add("half a code", 1002, part{send: whole(opClose, "\x03")})
	// PHP services do not mask close frames.
	add("unmasked", 1000, part{send: appendFrame(nil, 0x80|opClose, 2, false, []byte("\x03\xe8"))})
	add("unmasked, no code", noCode, part{send: appendFrame(nil, 0x80|opClose, 0, false, nil)})
	for _, cut := range []int{0, 1} {
		in := fmt.Sprintf("pieces of %d: ", cut)
		end := closing(1000, "")
		add(in+"a request that was answered before", 1000, part{ask("1", "x"), cut, []string{answered("1", "x")}}, part{send: end, cut: cut})
		add(in+"a request just before", 1000, part{send: append(ask("1", "x"), end...), cut: cut})
		add(in+"a ping just before", 1000, part{send: append(whole(opPing, "p"), end...), cut: cut})
		add(in+"a message cut off", 1000, part{send: append(frameOf(opText, `{"a`), end...), cut: cut})
		add(in+"a request after", 1000, part{send: append(closing(1000, ""), ask("1", "x")...), cut: cut})
		add(in+"a ping after", 1000, part{send: append(closing(1000, ""), whole(opPing, "p")...), cut: cut})
		add(in+"a second close with another code", 1000, part{send: append(closing(1000, ""), closing(4000, "")...), cut: cut})
		add(in+"a broken frame after", 1000, part{send: append(closing(1000, ""), 0xFF, 0xFF, 0xFF, 0xFF), cut: cut})
		add(in+"256 KiB after", 1000, part{send: append(closing(1000, ""), make([]byte, 256<<10>>(10*cut))...), cut: cut})
		add(in+"half a frame after", 1000, part{send: append(closing(1000, ""), 0x81), cut: cut})
	}
	return rows
}
