package workload

import (
	"fmt"
	"strings"

	"strowger/bench/dialect"
	"strowger/bench/load"
)

// newData is JSON text of that many bytes, or the least that it takes, with a mark in it, and for
// events with a key for each permission.
func newData(size int, guarded bool) []byte {
	mark := make([]byte, load.MarkSize)
	load.Mark{}.Put(mark)
	var b strings.Builder
	fmt.Fprintf(&b, `{"mark":"%s",`, mark)
	if guarded {
		for i := range dialect.Classes {
			fmt.Fprintf(&b, `"%s":%d,`, dialect.GuardedKey(i), i)
		}
	}
	b.WriteString(`"rest":"`)
	const end = `"}`
	b.WriteString(strings.Repeat("x", max(0, size-b.Len()-len(end))))
	return []byte(b.String() + end)
}

// template is a frame with a mark that can be written anew.
type template struct {
	frame []byte
	at    int
}

func newTemplate(message []byte) template {
	frame := load.AppendText(nil, message)
	_, start, end, err := load.FindMark(frame, 0)
	if err != nil || end == 0 {
		panic("workload: message without a mark") // a bug of a dialect
	}
	return template{frame: frame, at: start}
}

func (t template) mark(m load.Mark) []byte {
	m.Put(t.frame[t.at : t.at+load.MarkSize])
	return t.frame
}
