package client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode"
)

// excerptBytes is how much of a text that the peer chose goes into an error.
const excerptBytes = 256

// excerpt returns the beginning of text as one line without control characters. The text may be of any
// length and need not be UTF-8.
func excerpt(text string) string {
	cut := len(text) > excerptBytes
	if cut {
		text = text[:excerptBytes]
	}
	printable := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
	short := strings.Join(strings.Fields(printable), " ")
	if cut {
		short += "..."
	}
	return short
}

// parseError returns what package net/http says about a head that it cannot read, shortened, because it
// quotes lines of the head whole and as they are. Errors of the connection are returned unchanged.
func parseError(err error) error {
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return errors.New(excerpt(err.Error()))
}

// quote returns the beginning of text in quotes.
func quote(text string) string { return fmt.Sprintf("%q", excerpt(text)) }
