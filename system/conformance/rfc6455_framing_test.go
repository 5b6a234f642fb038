package conformance

import (
	"fmt"
	"strings"
)

// messageOf returns a message of exactly n bytes, and what the router answers: nothing if so few bytes cannot be an
// envelope, 400 if they cannot name a service, and otherwise what the service says.
func messageOf(n int) (message string, want []string) {
	empty := request("1", "")
	switch {
	case n == 0:
		return "", nil
	case n < len(`{"a":1}`):
		return "5" + strings.Repeat(" ", n-1), nil
	case n <= len(empty):
		return `{"a":1}` + strings.Repeat(" ", n-len(`{"a":1}`)), []string{`400 ""`}
	}
	filler := strings.Repeat("*", n-len(empty))
	return request("1", filler), []string{answered("1", filler)}
}

// framingRows are messages of all lengths at which the form of a header changes, and around.
func framingRows() []exchange {
	var rows []exchange
	lengths := []int{0, 1, 2, 6, 7, 8, 63, 64, 124, 125, 126, 127, 128, 129, 254, 255, 256, 257, 1000, 4095, 4096, 4097,
		32767, 32768, 65534, 65535, 65536, 65537, 65538, 131071, 131072, 131073}
	for kind, op := range map[string]byte{"text": opText, "binary": opBinary} {
		for _, n := range lengths {
			message, want := messageOf(n)
			for _, cut := range []int{0, 1, 997, 4096} {
				if cut > n+6 || cut == 1 && n > 300 || cut > 1 && n/max(cut, 1) > 150 {
					continue
				}
				name := fmt.Sprintf("%s of %d bytes, pieces of %d", kind, n, cut)
				rows = append(rows, exchange{name, []part{{whole(op, message), cut, want}}, stays})
			}
		}
	}
	// The router's own headers: the reader refuses a length that is not in its shortest form.
	overhead := len(replyEnvelope)
	for _, n := range []int{overhead, overhead + 1, 65533, 65534, 65535, 65536, 65537, 65538} {
		filler := strings.Repeat("r", n-overhead)
		rows = append(rows, exchange{fmt.Sprintf("a reply of %d bytes", n), []part{{ask("1", filler), 0, []string{answered("1", filler)}}}, stays})
	}
	for _, c := range []struct {
		name   string
		header []byte
	}{
		{"125 bytes in 16 bits", []byte{0x81, 0xFE, 0, 125, 1, 2, 3, 4}},
		{"0 bytes in 16 bits", []byte{0x82, 0xFE, 0, 0, 1, 2, 3, 4}},
		{"65535 bytes in 64 bits", []byte{0x81, 0xFF, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4}},
		{"5 bytes in 64 bits", []byte{0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4}},
		{"a negative length", []byte{0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}},
		{"the least negative length", []byte{0x81, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}},
	} {
		for _, cut := range []int{0, 1} {
			rows = append(rows, exchange{fmt.Sprintf("%s, pieces of %d", c.name, cut), []part{{send: c.header, cut: cut}}, 1002})
		}
	}
	for _, op := range []byte{opText, opBinary, opPing} {
		rows = append(rows, exchange{fmt.Sprintf("opcode %d unmasked", op), []part{{send: appendFrame(nil, 0x80|op, 7, false, []byte(`{"a":1}`))}}, 1002})
	}
	return rows
}

// replyEnvelope is what a reply without content looks like; only its length counts.
const replyEnvelope = `{"id":"0123456789abcdef0123456789abcdef","payload":"","service_name":"echo","token_name":"","token_hash":"","status_string":"ok","status_code":200,"request_id":"1","resource_id":"","domain_uuid":"","domain_name":"","permissions":[],"topic":"echo"}`

// pingRows are pings and pongs of all lengths, good and bad, alone and with others.
func pingRows() []exchange {
	var rows []exchange
	add := func(name string, code int, parts ...part) { rows = append(rows, exchange{name, parts, code}) }
	for n := range 126 {
		// The content is no UTF-8 from the second byte on.
		content := strings.Repeat("\xFE", n)
		add(fmt.Sprintf("ping of %d bytes", n), stays, part{whole(opPing, content), 0, []string{"pong " + content}})
	}
	for _, n := range []int{0, 1, 7, 124, 125} {
		content := strings.Repeat("\xFE", n)
		add(fmt.Sprintf("ping of %d bytes, byte by byte", n), stays, part{whole(opPing, content), 1, []string{"pong " + content}})
		add(fmt.Sprintf("pong of %d bytes", n), stays, part{send: whole(opPong, content)})
		add(fmt.Sprintf("pong of %d bytes, byte by byte", n), stays, part{send: whole(opPong, content), cut: 1})
		add(fmt.Sprintf("unmasked pong of %d bytes", n), stays, part{send: appendFrame(nil, 0x80|opPong, uint64(n), false, []byte(content))})
		add(fmt.Sprintf("pong of %d bytes, then a ping", n), stays,
			part{append(whole(opPong, content), whole(opPing, "x")...), 0, []string{"pong x"}})
	}
	for _, op := range []byte{opPing, opPong} {
		for _, n := range []int{126, 127, 200, 65536} {
			add(fmt.Sprintf("opcode %d of %d bytes", op, n), 1002, part{send: whole(op, strings.Repeat("p", n))})
			add(fmt.Sprintf("header only: opcode %d of %d bytes", op, n), 1002, part{send: appendFrame(nil, 0x80|op, uint64(n), true, nil)})
		}
	}
	var pings []byte
	var want []string
	for i := range 10 {
		pings = append(pings, whole(opPing, fmt.Sprint("ping ", i))...)
		want = append(want, fmt.Sprint("pong ping ", i))
	}
	for _, cut := range []int{0, 1, 5} {
		add(fmt.Sprintf("ten pings, pieces of %d", cut), stays, part{pings, cut, want})
	}
	add("ping and request in one piece", stays, part{append(whole(opPing, "p"), ask("1", "x")...), 0, []string{"pong p", answered("1", "x")}})
	return rows
}

// reservedRows have reserved bits in every kind of frame.
func reservedRows() []exchange {
	var rows []exchange
	for bits := byte(1); bits < 8; bits++ {
		rsv := bits << 4
		good := part{ask("1", "good"), 0, []string{answered("1", "good")}}
		for _, c := range []struct {
			name  string
			parts []part
		}{
			{"text", []part{{send: frameOf(0x80|rsv|opText, request("1", "x"))}}},
			{"binary", []part{{send: frameOf(0x80|rsv|opBinary, request("1", "x"))}}},
			{"text, byte by byte", []part{{send: frameOf(0x80|rsv|opText, request("1", "x")), cut: 1}}},
			{"ping", []part{{send: frameOf(0x80|rsv|opPing, "p")}}},
			{"pong", []part{{send: frameOf(0x80|rsv|opPong, "p")}}},
			{"close", []part{{send: frameOf(0x80|rsv|opClose, "\x03\xe8")}}},
			{"empty text", []part{{send: frameOf(0x80|rsv|opText, "")}}},
			{"the first fragment", []part{{send: frameOf(rsv|opText, `{"a"`)}}},
			{"the last fragment", []part{{send: append(frameOf(opText, `{"a"`), frameOf(0x80|rsv, `:1}`)...)}}},
			{"text after a good one that was answered", []part{good, {send: frameOf(0x80|rsv|opText, request("2", "x"))}}},
			{"text between good ones in one piece", []part{{send: joined(ask("1", "x"), frameOf(0x80|rsv|opText, request("2", "x")), ask("3", "x"))}}},
			{"text before a ping", []part{good, {send: append(frameOf(0x80|rsv|opText, request("2", "x")), whole(opPing, "p")...)}}},
		} {
			rows = append(rows, exchange{fmt.Sprintf("bits %03b in %s", bits, c.name), c.parts, 1002})
		}
	}
	return rows
}

// opcodeRows have opcodes that mean nothing.
func opcodeRows() []exchange {
	var rows []exchange
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		good := part{ask("1", "good"), 0, []string{answered("1", "good")}}
		for _, c := range []struct {
			name  string
			parts []part
		}{
			{"empty", []part{{send: whole(op, "")}}},
			{"with content", []part{{send: whole(op, `{"a":1}`)}}},
			{"not final", []part{{send: frameOf(op, "x")}}},
			{"byte by byte", []part{{send: whole(op, `{"a":1}`), cut: 1}}},
			{"unmasked", []part{{send: appendFrame(nil, 0x80|op, 0, false, nil)}}},
			{"amid fragments", []part{{send: append(frameOf(opText, `{"a"`), whole(op, "")...)}}},
			{"after a good message", []part{good, {send: whole(op, "")}}},
			{"between good messages in one piece", []part{{send: joined(ask("1", "x"), whole(op, "x"), ask("2", "x"))}}},
			{"before a ping", []part{good, {send: append(whole(op, "x"), whole(opPing, "p")...)}}},
		} {
			rows = append(rows, exchange{fmt.Sprintf("opcode %d %s", op, c.name), c.parts, 1002})
		}
	}
	return rows
}
