package token

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// oddInterval is the time between two warnings about the same field.
const oddInterval = time.Minute

// oddities collects the optional fields of one token that hold something else than they should. It
// keeps the first of each kind: a list of ten thousand odd rows makes one entry.
type oddities struct {
	kinds  map[string]struct{}
	fields []string
}

// unlike notes a field that counts as empty.
func (o *oddities) unlike(path, want, got string) {
	o.add(path, fmt.Sprintf("want %s, got %s", want, got))
}

// number notes an integer that is read as its decimal text.
func (o *oddities) number(path string) { o.add(path, "integer read as text") }

func (o *oddities) add(path, what string) {
	kind := kindOf(path) + what
	if _, again := o.kinds[kind]; again {
		return
	}
	if o.kinds == nil {
		o.kinds = make(map[string]struct{})
	}
	o.kinds[kind] = struct{}{}
	o.fields = append(o.fields, path+": "+what)
}

// kindOf returns a path with a star in place of each index.
func kindOf(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if part != "" && part[0] >= '0' && part[0] <= '9' {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}

// warnOdd logs what is odd about a token that was accepted. It warns of each kind of field once a
// minute, and logs the rest at debug: each login of a site may bring the same.
func (s *Store) warnOdd(t *Token) {
	if len(t.Odd) == 0 {
		return
	}
	s.oddTokens.Add(1)
	level := slog.LevelDebug
	now := s.now()
	s.reportedMu.Lock()
	for _, field := range t.Odd {
		kind := kindOf(field)
		if last, warned := s.odd[kind]; !warned || now.Sub(last) >= oddInterval {
			s.odd[kind] = now
			level = slog.LevelWarn
		}
	}
	s.reportedMu.Unlock()
	s.log.Log(context.Background(), level, "a token has odd fields; the rest of it counts", "token", t, "fields", t.Odd)
}
