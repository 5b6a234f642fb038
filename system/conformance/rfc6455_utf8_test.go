package conformance

import (
	"fmt"
	"strings"
)

// goodTexts are valid: ends of all ranges, and what is odd but allowed.
func goodTexts() []string {
	return []string{
		"Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "日本語", "\U0001F4DE\U0001F3FF", "e\u0301", "\u202Ertl", "\uFEFFmark",
		"\x20", "\x7F", "\u0080", "\u07FF", "\u0800", "\u0FFF", "\u1000", "\uCFFF", "\uD000", "\uD7FF", "\uE000", "\uFFFD", "\uFFFE", "\uFFFF", "\uFDD0", "\uFDEF",
		"\U00010000", "\U0003FFFF", "\U00040000", "\U000FFFFF", "\U0010FFFF", "\U0001FFFE", "\U0001FFFF", "\U0008FFFE", "\U0010FFFE",
	}
}

// badTexts are invalid. The number is the place of the byte that shows it: no text begins as those before it with this one.
func badTexts() []struct {
	text string
	at   int
} {
	return []struct {
		text string
		at   int
	}{
		// Continuation bytes without a beginning.
		{"\x80", 0}, {"\xBF", 0}, {"\x80\xBF", 0}, {"a\x80b", 1}, {"\xC3\xA9\x80", 2}, {"\xE2\x82\xAC\xBF", 3}, {"\xF0\x9F\x93\x9E\x80", 4},
		// Bytes that never occur.
		{"\xC0", 0}, {"\xC1", 0}, {"\xF5", 0}, {"\xF8", 0}, {"\xFC", 0}, {"\xFE", 0}, {"\xFF", 0}, {"\xFE\xFE\xFF\xFF", 0},
		// Beginnings without an end, and something else after them.
		{"\xC3 ", 1}, {"\xDF ", 1}, {"\xE0\xA0 ", 2}, {"\xE2 ", 1}, {"\xE2\x82 ", 2}, {"\xEF\xBF ", 2}, {"\xF0\x9F ", 2}, {"\xF0\x9F\x93 ", 3}, {"\xF4\x8F\xBF ", 3},
		{"\xC3\xC3", 1}, {"\xE2\x82\xE2", 2}, {"\xF0\x9F\x93\xF0", 3},
		// Longer than need be.
		{"\xC0\xAF", 0}, {"\xE0\x80\xAF", 1}, {"\xE0\x9F\xBF", 1}, {"\xF0\x80\x80\xAF", 1}, {"\xF0\x8F\xBF\xBF", 1}, {"\xF8\x80\x80\x80\xAF", 0}, {"\xFC\x80\x80\x80\x80\xAF", 0},
		{"\xC0\x80", 0}, {"\xE0\x80\x80", 1}, {"\xF0\x80\x80\x80", 1}, {"\xC1\xBF", 0},
		// Halves of surrogates, alone and in pairs.
		{"\xED\xA0\x80", 1}, {"\xED\xAD\xBF", 1}, {"\xED\xAE\x80", 1}, {"\xED\xAF\xBF", 1}, {"\xED\xB0\x80", 1}, {"\xED\xBE\x80", 1}, {"\xED\xBF\xBF", 1},
		{"\xED\xA0\x80\xED\xB0\x80", 1}, {"\xED\xAF\xBF\xED\xBF\xBF", 1},
		// Beyond the last character.
		{"\xF4\x90\x80\x80", 1}, {"\xF4\xBF\xBF\xBF", 1}, {"\xF5\x80\x80\x80", 0}, {"\xF7\xBF\xBF\xBF", 0}, {"\xFB\xBF\xBF\xBF\xBF", 0}, {"\xFD\xBF\xBF\xBF\xBF\xBF", 0},
		// After much that is good.
		{"κόσμε\xED\xA0\x80edited", 11}, {strings.Repeat("κ", 1000) + "\xF4\x90\x80\x80", 2001}, {strings.Repeat("a", 5000) + "\xFF", 5000},
	}
}

// utf8Rows are texts, valid and not, whole and cut everywhere.
func utf8Rows() []exchange {
	var rows []exchange
	add := func(name string, code int, parts ...part) { rows = append(rows, exchange{name, parts, code}) }
	for _, text := range goodTexts() {
		message, want := request("1", text), []string{answered("1", text)}
		add(fmt.Sprintf("good %+q", text), stays, part{whole(opText, message), 0, want})
		add(fmt.Sprintf("good %+q, byte by byte", text), stays, part{whole(opText, message), 1, want})
		add(fmt.Sprintf("good %+q in fragments of one byte", text), stays, part{inFragments(opText, message, 1), 0, want})
		add(fmt.Sprintf("good %+q in fragments of one byte with pings", text), stays,
			part{inFragments(opText, message, 1, whole(opPong, "")), 0, want})
	}
	add("U+0000, which JSON does not have in a text", stays, part{send: whole(opText, request("1", "\x00"))})
	for _, bad := range badTexts() {
		message := request("1", bad.text)
		name := fmt.Sprintf("bad %+q", bad.text)
		if len(bad.text) > 40 {
			name = fmt.Sprintf("bad %+q after %d bytes", bad.text[bad.at:], bad.at)
		}
		add(name, 1007, part{send: whole(opText, message)})
		if len(bad.text) < 40 {
			add(name+", byte by byte", 1007, part{send: whole(opText, message), cut: 1})
			add(name+" in fragments of one byte", 1007, part{send: inFragments(opText, message, 1)})
		}
		// It is noticed at the byte that shows it, whatever is still to come, and not before.
		at := strings.Index(message, bad.text) + bad.at
		add(name+", at once between fragments", 1007,
			part{joined(frameOf(opText, message[:at]), whole(opPing, "p")), 0, []string{"pong p"}}, part{send: frameOf(0, message[at:at+1])})
		add(name+", at once inside a frame", 1007, part{send: cutOff(frameOf(0x80|opText, message), len(message)-at-1)})
		add(name+" as binary between fragments", stays, part{joined(frameOf(opBinary, message[:at+1]), whole(opPing, "p")), 0, []string{"pong p"}},
			part{send: frameOf(0x80, message[at+1:])})
		// Nothing looks into binary messages but the reader of JSON, which takes no such text either.
		add(name+" as binary", stays, part{send: whole(opBinary, message)})
	}
	for _, text := range []string{"\xC3", "\xE2\x82", "\xF0\x9F\x93", "\xF4\x8F\xBF"} {
		add(fmt.Sprintf("cut off %+q", text), 1007, part{send: whole(opText, "x"+text)})
		add(fmt.Sprintf("cut off %+q before a final empty fragment", text), 1007, part{send: joined(frameOf(opText, "x"+text), frameOf(0x80, ""))})
		add(fmt.Sprintf("cut off %+q, and the next message begins with the rest", text), 1007,
			part{send: joined(whole(opText, "x"+text), whole(opText, "\x80"))})
	}
	return rows
}

// cutOff returns a frame without its last bytes.
func cutOff(frame []byte, last int) []byte { return frame[:len(frame)-last] }
