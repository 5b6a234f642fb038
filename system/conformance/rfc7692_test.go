package conformance

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"strowger/config"
)

// agreementRow is a row of the tables of compression: an exchange on a connection that has asked for an extension.
type agreementRow struct {
	exchange
	offer  string
	agreed string // what the answer says; empty: nothing is compressed
}

// packedBit is RSV1, which says that a message is compressed.
const packedBit = 0x40

// The answers to offers.
const (
	noContext   = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	wholeWindow = noContext + "; server_max_window_bits=15"
)

// TestRFC7692 is TestRFC6455 with compression.
func TestRFC7692(t *testing.T) {
	cfg := config.Default()
	cfg.Listen.Compression, cfg.Listen.CompressionThreshold = true, 64
	daemon := startEchoWith(t, cfg)
	daemons := map[string]*echoDaemon{} // by offer: each has connections of its own
	for number, rows := range map[int][]agreementRow{12: compressionRows(), 13: agreementRows()} {
		t.Run(strconv.Itoa(number), func(t *testing.T) {
			names := map[string]bool{}
			for _, row := range rows {
				if names[row.name] {
					t.Errorf("two rows are called %s", row.name)
				}
				names[row.name] = true
				d := daemons[row.offer]
				if d == nil {
					d = &echoDaemon{t: daemon.t, addr: daemon.addr, tokens: daemon.tokens, free: make(chan *socket, 1000), offer: row.offer, agreed: row.agreed}
					daemons[row.offer] = d
				}
				t.Run(row.name, func(t *testing.T) {
					t.Parallel()
					d.play(t, row.exchange)
				})
			}
		})
	}
}

// compressionSections are the tables for documentedRows.
func compressionSections() []section {
	strip := func(rows []agreementRow) []exchange {
		all := make([]exchange, len(rows))
		for i := range rows {
			all[i] = rows[i].exchange
		}
		return all
	}
	return []section{{12, "Compression", strip(compressionRows())}, {13, "Compression by agreement", strip(agreementRows())}}
}

// offering is an upgrade request with an offer of extensions.
func offering(offer string) step {
	if offer == "" {
		return step{}
	}
	return step{Headers: []string{"Sec-WebSocket-Extensions: " + offer}}
}

// agreement returns what the head of an answer says of extensions.
func agreement(head string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if value, ok := strings.CutPrefix(line, "Sec-WebSocket-Extensions: "); ok {
			return value
		}
	}
	return ""
}

// unpacked returns a frame as it was before the daemon compressed it, which it may only if that was agreed. Each must be
// decompressed without the others.
func (s *socket) unpacked(t *testing.T, f frame) frame {
	t.Helper()
	if !s.packs || f.first != 0x80|packedBit|opText {
		return f
	}
	plain, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(f.payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil {
		t.Fatalf("the daemon's message cannot be decompressed: %v", err)
	}
	return frame{first: 0x80 | opText, payload: plain}
}

// deflated compresses a message, with a flush after each of so many bytes, and leaves out the end of the last flush.
func deflated(level, every int, message string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		panic(err) // a level that there is not
	}
	for {
		n := min(every, len(message))
		_, _ = w.Write([]byte(message[:n]))
		_ = w.Flush()
		if message = message[n:]; message == "" {
			return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
		}
	}
}

// packedMessage is deflated at once, in fragments of size bytes.
func packedMessage(op byte, level, size int, message string) []byte {
	return inFragments(op|packedBit, deflated(level, len(message), message), size)
}

// texts are what the messages have in them, by kind, repeated as often as need be: some compress well, and some do not.
func texts() map[string]string {
	noise := make([]byte, 4096)
	for i, state := 0, uint32(1); i < len(noise); i++ {
		state = state*1664525 + 1013904223
		noise[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[state>>26]
	}
	return map[string]string{
		"one letter":  "x",
		"English":     "A call that nobody answers goes to the next extension of the group. ",
		"umlauts":     "Gr\u00fc\u00dfe aus K\u00f6ln: \u6771\u4eac, \U0001F4DE, \u0416. ",
		"like JSON":   "{'channel':'sofia/internal/1001@a.example','state':'CS_EXECUTE','answered':true,'number':1001},",
		"like random": string(noise),
	}
}

// filled returns a text of n bytes, or of some less where a character would be cut.
func filled(text string, n int) string {
	filler := strings.Repeat(text, n/len(text)+1)[:n]
	return strings.ToValidUTF8(filler, "")
}

// sizes are the messages' lengths and the lengths of their fragments, as the Autobahn suite has them.
func sizes() [][2]int {
	const any = 1 << 30
	return [][2]int{
		{16, any}, {64, any}, {256, any}, {1024, any}, {4096, any}, {8192, any}, {16384, any}, {32768, any}, {65536, any}, {131072, any},
		{8192, 256}, {16384, 256}, {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
	}
}

// echoes are many messages, each answered with its text. No more is sent than fits, before the answers are read.
func echoes(n, size int, text string, send func(message string) []byte) []part {
	var parts []part
	payload := filled(text, n)
	for count := min(max(256<<10/n, 2), 200); count > 0; {
		var p part
		for range min(count, 8, max(1, 32<<10/n)) {
			id := strconv.Itoa(count)
			p.send = append(p.send, send(request(id, payload))...)
			p.want = append(p.want, answered(id, payload))
			count--
		}
		parts = append(parts, p)
	}
	return parts
}

// compressionRows are compressed messages of many kinds and sizes, and what is no compressed message.
func compressionRows() []agreementRow {
	var rows []agreementRow
	add := func(name string, code int, parts ...part) {
		rows = append(rows, agreementRow{exchange{name, parts, code}, "permessage-deflate; client_max_window_bits", noContext})
	}
	for kind, text := range texts() {
		for i, s := range sizes() {
			op, level := []byte{opText, opBinary}[i%2], 1+i%9
			add(fmt.Sprintf("%s, %d bytes in fragments of %d", kind, s[0], s[1]), stays, echoes(s[0], s[1], text, func(message string) []byte {
				return packedMessage(op, level, s[1], message)
			})...)
		}
	}
	message, want := request("1", strings.Repeat("compressed ", 30)), answered("1", strings.Repeat("compressed ", 30))
	good := deflated(9, len(message), message)
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		for _, every := range []int{1, 7, len(message)} {
			for _, cut := range []int{0, 1} {
				add(fmt.Sprintf("level %d, flushed after %d, pieces of %d", level, every, cut), stays,
					part{frameOf(0x80|packedBit|opText, deflated(level, every, message)), cut, []string{want}})
			}
		}
	}
	var final bytes.Buffer
	w, _ := flate.NewWriter(&final, 9)
	_, _ = w.Write([]byte(message))
	_ = w.Close()
	long, answer := long(longest)
	first, last := good[:20], good[20:]
	for kind, op := range map[string]byte{"text": opText, "binary": opBinary} {
		packed := op | packedBit
		add(kind+" with a last block", stays, part{frameOf(0x80|packed, final.String()+"\x00"), 0, []string{want}})
		add(kind+" in fragments of one byte", stays, part{inFragments(packed, good, 1), 0, []string{want}})
		add(kind+" in fragments of one byte, pieces of one", stays, part{inFragments(packed, good, 1), 1, []string{want}})
		add(kind+" with pings between", stays, part{inFragments(packed, good, 50, whole(opPing, "p")), 0, append([]string{want}, repeated("pong p", (len(good)-1)/50)...)})
		add(kind+" with empty fragments", stays, part{joined(frameOf(packed, ""), frameOf(0, good), frameOf(0x80, "")), 0, []string{want}})
		add(kind+" that is empty", stays, part{send: frameOf(0x80|packed, "\x00")}, part{send: ask("2", "x"), want: []string{answered("2", "x")}})
		add(kind+" without a byte", 1002, part{send: frameOf(0x80|packed, "")}) // an empty message has one
		add(kind+", plain and compressed in turns", stays, part{joined(frameOf(0x80|packed, good), ask("2", "plain"), frameOf(0x80|packed, good), ask("3", "plain")), 0,
			[]string{want, answered("2", "plain"), want, answered("3", "plain")}})
		add(kind+" as long as may be", stays, part{frameOf(0x80|packed, deflated(1, longest, long)), 0, []string{answer}})
		add(kind+" too long by one byte", 1009, part{send: frameOf(0x80|packed, deflated(1, longest+1, strings.Repeat(" ", longest+1)))})
		add(kind+" that becomes 64 MiB", 1009, part{send: frameOf(0x80|packed, deflated(1, 64<<20, strings.Repeat(" ", 64<<20)))})
		add(kind+" that is too long while it is compressed", 1009, part{send: appendFrame(nil, 0x80|packed, longest+1, true, nil)})
		add(kind+", a compressed continuation", 1002, part{send: joined(frameOf(packed, first), frameOf(0x80|packedBit, last))})
		add(kind+", a compressed continuation of a plain one", 1002, part{send: joined(frameOf(op, message[:20]), frameOf(0x80|packedBit, last))})
		add(kind+", the second reserved bit too", 1002, part{send: frameOf(0x80|packed|0x20, good)})
		add(kind+", the third reserved bit too", 1002, part{send: frameOf(0x80|packed|0x10, good)})
		add(kind+", all reserved bits", 1002, part{send: frameOf(0x80|packed|0x30, good)})
		add(kind+", the second reserved bit alone", 1002, part{send: frameOf(0x80|op|0x20, message)})
		add(kind+", the third reserved bit alone", 1002, part{send: frameOf(0x80|op|0x10, message)})
		add(kind+" that is not compressed", 1002, part{send: frameOf(0x80|packed, "\xff\xff\xff")})
		add(kind+" of a reserved kind of block", 1002, part{send: frameOf(0x80|packed, "\x07")})
		add(kind+" of a stored block that is cut short", 1002, part{send: frameOf(0x80|packed, "\x00\xff\x00\x00\xff\x48\x65")})
		add(kind+" of a stored block with a wrong length", 1002, part{send: frameOf(0x80|packed, "\x00\x05\x00\x05\x00Hello")})
		add(kind+" that refers to the message before", 1002, part{frameOf(0x80|packed, good), 0, []string{want}}, part{send: frameOf(0x80|packed, "\xf2\x00\x11\x00\x00")})
		add(kind+", a message between its fragments", 1002, part{send: joined(frameOf(packed, first), frameOf(0x80|packed, good))})
		add(kind+", a close between its fragments", 1000, part{send: joined(frameOf(packed, first), whole(opClose, "\x03\xe8"))})
	}
	add("text that is not UTF-8", 1007, part{send: frameOf(0x80|packedBit|opText, deflated(1, 100, "\xff\xfe"))})
	add("text that ends within a character", 1007, part{send: frameOf(0x80|packedBit|opText, deflated(1, 100, "{}\xc3"))})
	add("binary that is not UTF-8", stays, part{send: frameOf(0x80|packedBit|opBinary, deflated(1, 100, "\xff\xfe"))})
	for name, op := range map[string]byte{"ping": opPing, "pong": opPong, "close": opClose} {
		add("a compressed "+name, 1002, part{send: frameOf(0x80|packedBit|op, "\x03\xe8")})
		add("an empty compressed "+name, 1002, part{send: frameOf(0x80|packedBit|op, "")})
		add("a compressed "+name+" between fragments", 1002, part{send: joined(frameOf(opText|packedBit, first), frameOf(0x80|packedBit|op, ""))})
	}
	return rows
}

func repeated(text string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text
	}
	return all
}

// agreementRows are offers, what is agreed, and messages that go by it. A small window of the client's is kept by messages
// that refer to nothing before.
func agreementRows() []agreementRow {
	var rows []agreementRow
	for name, a := range map[string]struct {
		offer, agreed string
		level         int
	}{
		"no parameters":                          {"permessage-deflate", noContext, 6},
		"the client keeps no context":            {"permessage-deflate; client_no_context_takeover", noContext, 6},
		"the server keeps no context":            {"permessage-deflate; server_no_context_takeover", noContext, 6},
		"neither keeps a context":                {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", noContext, 6},
		"any window of the client's":             {"permessage-deflate; client_max_window_bits", noContext, 6},
		"8 bits of the client's":                 {"permessage-deflate; client_max_window_bits=8", noContext, flate.HuffmanOnly},
		"9 bits of the client's":                 {"permessage-deflate; client_max_window_bits=9; client_no_context_takeover", noContext, flate.HuffmanOnly},
		"15 bits of the client's":                {"permessage-deflate; client_max_window_bits=15", noContext, 6},
		"15 bits of the server's":                {"permessage-deflate; server_max_window_bits=15", wholeWindow, 6},
		"15 bits of both, and no context":        {"permessage-deflate; server_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15", wholeWindow, 6},
		"8 bits of the server's":                 {"permessage-deflate; server_max_window_bits=8", "", 0},
		"9 bits of the server's, and no context": {"permessage-deflate; server_no_context_takeover; server_max_window_bits=9", "", 0},
		"8 bits of the server's, or any":         {"permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits", noContext, 6},
		"three offers, of which the last fits":   {"permessage-deflate; server_max_window_bits=8, permessage-deflate; what, permessage-deflate; server_max_window_bits=15", wholeWindow, 6},
		"another extension":                      {"x-webkit-deflate-frame", "", 0},
		"an unknown parameter":                   {"permessage-deflate; what=1", "", 0},
		"a parameter that comes twice":           {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", "", 0},
		"7 bits":                                 {"permessage-deflate; client_max_window_bits=7", "", 0},
		"16 bits":                                {"permessage-deflate; client_max_window_bits=16", "", 0},
	} {
		add := func(what string, code int, parts ...part) {
			rows = append(rows, agreementRow{exchange{name + ", " + what, parts, code}, a.offer, a.agreed})
		}
		if a.agreed == "" {
			add("plain", stays, echoes(1024, 1<<30, texts()["English"], func(message string) []byte { return whole(opText, message) })...)
			add("compressed", 1002, part{send: packedMessage(opText, 6, 1<<30, request("1", "x"))})
			continue
		}
		for _, s := range sizes() {
			add(fmt.Sprintf("%d bytes in fragments of %d", s[0], s[1]), stays, echoes(s[0], s[1], texts()["like JSON"], func(message string) []byte {
				return packedMessage(opText, a.level, s[1], message)
			})...)
		}
	}
	return rows
}
