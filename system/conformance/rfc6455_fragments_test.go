package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

func joined(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// fragmentRows are messages in fragments, with control frames between them, and fragments out of order.
func fragmentRows() []exchange {
	var rows []exchange
	add := func(name string, code int, parts ...part) { rows = append(rows, exchange{name, parts, code}) }
	message, want := request("1", "in fragments"), answered("1", "in fragments")
	half := len(message)/2 + 1
	for kind, op := range map[string]byte{"text": opText, "binary": opBinary} {
		for _, size := range []int{1, 2, 10, half} {
			for _, cut := range []int{0, 1, 7} {
				name := fmt.Sprintf("%s in fragments of %d, pieces of %d", kind, size, cut)
				add(name, stays, part{inFragments(op, message, size), cut, []string{want}})
			}
		}
		for _, cut := range []int{0, 1} {
			in := fmt.Sprintf("%s, pieces of %d: ", kind, cut)
			add(in+"a ping between", stays, part{inFragments(op, message, half, whole(opPing, "p")), cut, []string{"pong p", want}})
			add(in+"an empty ping between", stays, part{inFragments(op, message, half, whole(opPing, "")), cut, []string{"pong ", want}})
			add(in+"three pings between", stays, part{inFragments(op, message, half, whole(opPing, "1"), whole(opPing, "2"), whole(opPing, "3")), cut,
				[]string{"pong 1", "pong 2", "pong 3", want}})
			add(in+"a pong between", stays, part{inFragments(op, message, half, whole(opPong, "p")), cut, []string{want}})
			add(in+"an unmasked pong between", stays, part{inFragments(op, message, half, appendFrame(nil, 0x80|opPong, 1, false, []byte("p"))), cut, []string{want}})
			add(in+"empty fragments between", stays, part{inFragments(op, message, half, frameOf(0, ""), frameOf(0, "")), cut, []string{want}})
			add(in+"only empty fragments", stays, part{send: joined(frameOf(op, ""), frameOf(0, ""), frameOf(0x80, "")), cut: cut})
			add(in+"empty first and last fragments", stays, part{joined(frameOf(op, ""), frameOf(0, message), frameOf(0x80, "")), cut, []string{want}})
			add(in+"two messages", stays, part{joined(inFragments(op, message, half), inFragments(op, request("2", "y"), 20)), cut, []string{want, answered("2", "y")}})
			add(in+"a close between", 1000, part{send: inFragments(op, message, half, whole(opClose, "\x03\xe8")), cut: cut})
			add(in+"a message between", 1002, part{send: inFragments(op, message, half, ask("2", "x")), cut: cut})
			add(in+"an empty message between", 1002, part{send: inFragments(op, message, half, whole(op, "")), cut: cut})
			add(in+"a first fragment between", 1002, part{send: inFragments(op, message, half, frameOf(opText, "")), cut: cut})
			add(in+"a fragmented ping between", 1002, part{send: inFragments(op, message, half, frameOf(opPing, "p")), cut: cut})
		}
		// The connection goes on between the fragments, and the pong does not wait for the message.
		add(kind+": a ping is answered before the last fragment", stays,
			part{joined(frameOf(op, message[:half]), whole(opPing, "p")), 0, []string{"pong p"}},
			part{frameOf(0x80, message[half:]), 0, []string{want}})
	}
	for _, cut := range []int{0, 1} {
		in := fmt.Sprintf("pieces of %d: ", cut)
		for name, first := range map[string]byte{"the last fragment": 0x80, "a fragment": 0} {
			add(in+name+" of nothing", 1002, part{send: frameOf(first, message), cut: cut})
			add(in+name+" of nothing, empty", 1002, part{send: frameOf(first, ""), cut: cut})
			add(in+name+" after a whole message", 1002, part{send: ask("2", "x"), cut: cut, want: []string{answered("2", "x")}}, part{send: frameOf(first, "x"), cut: cut})
			add(in+name+" after the last one", 1002, part{inFragments(opText, message, half), cut, []string{want}}, part{send: frameOf(first, "x"), cut: cut})
		}
		for _, op := range []byte{opPing, opPong, opClose} {
			add(fmt.Sprintf("%sopcode %d in fragments", in, op), 1002, part{send: joined(frameOf(op, ""), frameOf(0x80, "")), cut: cut})
			add(fmt.Sprintf("%sopcode %d not final, with content", in, op), 1002, part{send: frameOf(op, "\x03\xe8"), cut: cut})
		}
	}
	return rows
}

// limitRows are long messages, and those at the limit and beyond.
func limitRows() []exchange {
	var rows []exchange
	add := func(name string, code int, parts ...part) { rows = append(rows, exchange{name, parts, code}) }
	for kind, op := range map[string]byte{"text": opText, "binary": opBinary} {
		for _, n := range []int{64 << 10, 256 << 10, longest} {
			message, want := long(n)
			add(fmt.Sprintf("%s of %d bytes", kind, n), stays, part{whole(op, message), 0, []string{want}})
			for _, size := range []int{4 << 10, 16 << 10, 64 << 10, 256 << 10} {
				if size < n {
					add(fmt.Sprintf("%s of %d bytes in fragments of %d", kind, n, size), stays, part{inFragments(op, message, size), 0, []string{want}})
				}
			}
			for _, cut := range []int{8191, 65536} {
				if n/cut < 150 {
					add(fmt.Sprintf("%s of %d bytes, pieces of %d", kind, n, cut), stays, part{whole(op, message), cut, []string{want}})
				}
			}
		}
		message, _ := long(longest + 1)
		add(kind+" too long by one byte", 1009, part{send: whole(op, message)})
		add(kind+" too long by one byte, header only", 1009, part{send: appendFrame(nil, 0x80|op, longest+1, true, nil)})
		add(kind+" of the greatest length", 1009, part{send: []byte{0x80 | op, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}})
		add(kind+" too long by one byte in fragments", 1009, part{send: inFragments(op, message, longest/3)})
		add(kind+" whose lengths together are beyond 64 bits", 1009,
			part{send: append(frameOf(op, "ab"), 0x80, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4)})
		add(kind+" as long as may be, and an empty fragment", stays, part{send: joined(frameOf(op, strings.Repeat(" ", longest)), frameOf(0x80, ""))})
	}
	return rows
}

// manyFragmentsRows are messages in many fragments, as senders make them that write a fragment for each buffer.
func manyFragmentsRows() []exchange {
	var rows []exchange
	for kind, op := range map[string]byte{"text": opText, "binary": opBinary} {
		message, want := long(64 << 10)
		for _, size := range []int{256, 1024, 1300, 4096} {
			for _, cut := range []int{0, 1300} {
				name := fmt.Sprintf("%s of %d bytes in fragments of %d, pieces of %d", kind, len(message), size, cut)
				rows = append(rows, exchange{name, []part{{inFragments(op, message, size), cut, []string{want}}}, stays})
			}
		}
		short := request("1", strings.Repeat("s", 300))
		rows = append(rows, exchange{kind + " in fragments of one byte with a ping after each tenth",
			[]part{{tenths(op, short), 0, append(slices.Repeat([]string{"pong p"}, (len(short)-1)/10), answered("1", strings.Repeat("s", 300)))}}, stays})
	}
	return rows
}

// tenths cuts a message into fragments of one byte, with a ping after each tenth of them.
func tenths(op byte, message string) []byte {
	var b []byte
	for i := range len(message) - 1 {
		first := byte(0)
		if i == 0 {
			first = op
		}
		b = append(b, frameOf(first, message[i:i+1])...)
		if i%10 == 9 {
			b = append(b, whole(opPing, "p")...)
		}
	}
	return append(b, frameOf(0x80, message[len(message)-1:])...)
}

// long returns a message of n bytes whose answer is short.
func long(n int) (message, want string) {
	head := `{"service":"echo","topic":"sum","request_id":"1","payload":"`
	filler := strings.Repeat("0123456789abcdef", n/16+1)[:n-len(head)-len(`"}`)]
	return head + filler + `"}`, answered("1", sum(filler))
}
