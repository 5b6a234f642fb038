package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// notJSON says where data stops being JSON. err is what the decoder says about it.
func notJSON(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("not JSON: %w", err)
	}
	if int(syntax.Offset) >= len(data) && len(bytes.TrimSpace(data)) == 0 {
		return errors.New("not JSON: it is empty")
	}
	where := fmt.Sprintf("byte %d", syntax.Offset)
	before := data[:max(0, min(len(data), int(syntax.Offset))-1)]
	if line := bytes.Count(before, []byte("\n")); line > 0 {
		where = fmt.Sprintf("line %d, byte %d", line+1, len(before)-bytes.LastIndexByte(before, '\n'))
	}
	hint := ""
	if unquoted(data[len(before):], before) {
		hint = `; names stand in double quotes, which a shell removes unless the whole stands in single quotes: '{"a":1}'`
	}
	return fmt.Errorf("not JSON at %s: %w%s", where, err, hint)
}

// unquoted reports whether JSON ends where a name begins, as what a shell has taken the quotes from does.
func unquoted(rest, before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	r, _ := utf8.DecodeRune(rest)
	starts := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return starts && len(before) > 0 && bytes.ContainsRune([]byte("{,:["), rune(before[len(before)-1]))
}
