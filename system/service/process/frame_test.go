package process

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"strowger/actors/envelope"
)

func TestReadFrame(t *testing.T) {
	whole := seal(append(newFrame(frameSay, 3), "abc"...))
	long := seal(append(newFrame(frameSay, 0), strings.Repeat("x", 3*wholeRead)...))
	for name, test := range map[string]struct {
		data string
		most int
		want string
		err  error
	}{
		"at the limit":     {string(whole), 3, "abc", nil},
		"beyond the limit": {string(whole), 2, "", errLong},
		"nothing":          {"", 3, "", errClosed},
		"half a header":    {string(whole[:3]), 3, "", io.ErrUnexpectedEOF},
		"half a body":      {string(whole[:7]), 3, "", io.ErrUnexpectedEOF},
		"long":             {string(long), 3 * wholeRead, string(long[headerBytes:]), nil},
		"giant":            {string(whole[:1]) + "\xff\xff\xff\xff", 1 << 20, "", errLong},
	} {
		t.Run(name, func(t *testing.T) {
			kind, data, err := readFrame(strings.NewReader(test.data), test.most)
			if !errors.Is(err, test.err) || string(data) != test.want || err == nil && kind != frameSay {
				t.Errorf("got %d, %d bytes, %v; want %d bytes, %v", kind, len(data), err, len(test.want), test.err)
			}
		})
	}
}

// A header alone takes no memory for the body that it announces.
func TestGiantFrameTakesNoMemory(t *testing.T) {
	header := []byte{byte(frameSay), 0x40, 0, 0, 0}
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := readFrame(bytes.NewReader(header), 1<<30); err == nil {
			t.Error("a frame without a body is taken")
		}
	}); n > 20 {
		t.Errorf("%v allocations", n)
	}
	if result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = readFrame(bytes.NewReader(header), 1<<30)
		}
	}); result.AllocedBytesPerOp() > 1<<20 {
		t.Errorf("%d bytes are taken", result.AllocedBytesPerOp())
	}
}

func TestTold(t *testing.T) {
	e := &envelope.Envelope{Topic: envelope.Raw(`"t"`), StatusString: envelope.Raw(`"ok"`), StatusCode: envelope.Raw(`200`), Payload: envelope.Raw(`[1]`)}
	b := body{data: appendTold(nil, e, tellOpen)}
	flags, told := b.told()
	if b.end() != nil || flags != tellOpen|tellMessage || string(told.Topic) != `"t"` || string(told.StatusString) != `"ok"` ||
		string(told.StatusCode) != `200` || string(told.Payload) != `[1]` {
		t.Errorf("got %d %+v", flags, told)
	}
	b = body{data: appendTold(nil, nil, tellRefused)}
	if flags, told = b.told(); b.end() != nil || flags != tellRefused || told != nil {
		t.Errorf("got %d %+v, want no message", flags, told)
	}
	b = body{data: append(appendTold(nil, nil, 0), 1)}
	if b.told(); b.end() == nil {
		t.Error("what is left over is taken")
	}
}

// FuzzAsk reads requests that are no requests.
func FuzzAsk(f *testing.F) {
	f.Add([]byte{1, askWaits, 0, 10, 3, '"', 't', '"', 0, 0, 0, 0, 0, 0, 0, 1, 1, 'x'})
	f.Add([]byte{1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readAsk(data)
		if err == nil && (len(a.User.Extensions) > len(data) || a.Deadline.Before(time.Now().Add(-time.Hour))) {
			t.Errorf("%d extensions, deadline %s", len(a.User.Extensions), a.Deadline)
		}
	})
}
