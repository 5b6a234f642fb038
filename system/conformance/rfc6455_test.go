package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"strowger/config"
	"strowger/system"
	"strowger/system/service"
)

// exchange is a row of the tables: what a client sends in which pieces, and what must come back.
type exchange struct {
	name  string
	parts []part
	code  int // of the router's close frame; or stays, noCode
}

const (
	stays  = -1 // the connection goes on and works
	noCode = 0  // it is closed by an empty close frame
)

// part is a part of an exchange: bytes, and the answers that must have come before the next part.
type part struct {
	send []byte
	cut  int      // bytes of a piece, each of which is one write; 0: all at once
	want []string // as answerOf spells them, in any order, because pongs overtake replies
}

// section is a table with the number that it has in the Autobahn suite, the model for what the tables cover.
type section struct {
	number int
	title  string
	rows   []exchange
}

func sections() []section {
	return []section{
		{1, "Framing", framingRows()},
		{2, "Pings and pongs", pingRows()},
		{3, "Reserved bits", reservedRows()},
		{4, "Opcodes", opcodeRows()},
		{5, "Fragmentation", fragmentRows()},
		{6, "UTF-8", utf8Rows()},
		{7, "Close", closeRows()},
		{9, "Limits", limitRows()},
		{10, "Many fragments", manyFragmentsRows()},
	}
}

// longest is the longest message of a client by default.
const longest = 1 << 20

// TestRFC6455 sends frames of every kind, good and bad, to a whole router, over real sockets.
func TestRFC6455(t *testing.T) {
	d := startEcho(t)
	d.replyLength(t)
	all := sections()
	for _, s := range all {
		t.Run(strconv.Itoa(s.number)+" "+s.title, func(t *testing.T) {
			names := map[string]bool{}
			for _, row := range s.rows {
				if names[row.name] {
					t.Errorf("two rows are called %s", row.name)
				}
				names[row.name] = true
				t.Run(row.name, func(t *testing.T) {
					t.Parallel()
					d.play(t, row)
				})
			}
		})
	}
	documentedRows(t, append(all, compressionSections()...))
}

// documentedRows compares the numbers of rows with those in docs/reliability.md.
func documentedRows(t *testing.T, all []section) {
	t.Helper()
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	want := [][]string{}
	for _, s := range all {
		total += len(s.rows)
		want = append(want, []string{fmt.Sprint(s.number), s.title, fmt.Sprint(len(s.rows))})
	}
	want = append(want, []string{"", "all", fmt.Sprint(total)})
	got := [][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d*) ?\| ([^|]+?) \| (\d+) \|`).FindAllStringSubmatch(string(page), -1) {
		got = append(got, m[1:])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("docs/reliability.md has the rows\n%v\nwant\n%v", got, want)
	}
}

// echoDaemon is a router with a service in it that answers with what it is asked.
type echoDaemon struct {
	t            *testing.T
	addr, tokens string
	free         chan *socket // connections on which nothing is left to come
	offer        string       // extensions that connections ask for, and agreed what the answer must say to them
	agreed       string
}

func startEcho(t *testing.T) *echoDaemon {
	t.Helper()
	return startEchoWith(t, config.Default())
}

func startEchoWith(t *testing.T, cfg *config.Config) *echoDaemon {
	t.Helper()
	cfg.Listen.Address = "127.0.0.1:0"
	cfg.Admin.Address = ""
	cfg.Tokens.Directory = t.TempDir()
	// A connection that waits for its next row is not read, and a ping of the daemon's would be taken for an answer.
	cfg.Keepalive.PingInterval, cfg.Keepalive.IdleTimeout, cfg.Keepalive.PingerTimeout = 0, 0, 0
	echo := &service.Service{Name: "echo", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		service.Handle(s, "sum", func(r service.Request, in string) error {
			r.Reply(sum(in))
			return nil
		})
		return nil
	}}
	router, err := system.New(system.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}, echo)
	if err != nil {
		t.Fatal(err)
	}
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := router.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return &echoDaemon{t: t, addr: router.Addr().String(), tokens: cfg.Tokens.Directory, free: make(chan *socket, 1000)}
}

// replyLength wants the reply that the rows with exact lengths go by.
func (d *echoDaemon) replyLength(t *testing.T) {
	t.Helper()
	s := d.open(t)
	s.write(ask("1", ""))
	f, err := s.frame(time.Now().Add(patience))
	if err != nil || len(f.payload) != len(replyEnvelope) {
		t.Errorf("the reply is %q, %v; its length should be that of %q", f.payload, err, replyEnvelope)
	}
}

// sum stands for a text that is too long to be sent back.
func sum(text string) string {
	return fmt.Sprintf("%d bytes, sum %08x", len(text), crc32.ChecksumIEEE([]byte(text)))
}

// open returns a connection of a client that may ask the service.
func (d *echoDaemon) open(t *testing.T) *socket {
	t.Helper()
	select {
	case s := <-d.free:
		return s
	default:
	}
	s, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.t.Cleanup(s.close)
	s.write([]byte(upgradeRequest(offering(d.offer), d.addr, handshakeKey())))
	head, err := s.head(time.Now().Add(patience))
	if err != nil {
		t.Fatal(err)
	}
	if got := agreement(head); got != d.agreed {
		t.Fatalf("the answer to %q says %q, want %q", d.offer, got, d.agreed)
	}
	s.packs = d.agreed != ""
	s.wants(t, `407 ""`)
	made, err := writeToken(d.tokens, tokenSpec{Kind: "user"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.write(textFrame(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.name, made.hash)))
	s.wants(t, `200 ""`)
	return s
}

// play does what a row says.
func (d *echoDaemon) play(t *testing.T, row exchange) {
	t.Helper()
	s := d.open(t)
	for _, p := range row.parts {
		piece := p.cut
		if piece == 0 {
			piece = max(len(p.send), 1)
		}
		for bytes := range slices.Chunk(p.send, piece) {
			s.write(bytes)
		}
		s.wants(t, p.want...)
	}
	if row.code == stays {
		// The two are answered after all that was sent before them, so nothing else may come.
		s.write(slices.Concat(whole(opPing, "still here"), ask("last", "")))
		s.wants(t, "pong still here", `200 "last"`)
		d.free <- s
		return
	}
	s.ends(t, row.code)
}

// wants reads as many frames as are wanted and compares them, in any order.
func (s *socket) wants(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for range want {
		f, err := s.frame(time.Now().Add(patience))
		if err != nil {
			t.Fatalf("%v after %.300q, want %.300q", err, got, want)
		}
		got = append(got, answerOf(t, s.unpacked(t, f)))
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Fatalf("got %.300q, want %.300q", got, want)
	}
}

// ends wants the close frame, which must be good itself, and then the end of the connection. Answers may come
// before it.
func (s *socket) ends(t *testing.T, code int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !s.closing {
		f, err := s.frame(deadline)
		if err != nil {
			t.Fatalf("%v in place of a close frame with %d", err, code)
		}
		if f.first&0x0f != opClose {
			answerOf(t, s.unpacked(t, f))
			continue
		}
		got := noCode
		if len(f.payload) >= 2 {
			got = int(f.payload[0])<<8 | int(f.payload[1])
		}
		if got != code || f.first != 0x80|opClose || len(f.payload) == 1 || len(f.payload) > 125 || !utf8.Valid(f.payload[min(2, len(f.payload)):]) {
			t.Fatalf("closed with %d, frame %x % x; want %d", got, f.first, f.payload, code)
		}
	}
	if err := s.fill(deadline); !errors.Is(err, io.EOF) || len(s.unread) > 0 {
		t.Fatalf("after the close frame: % x, %v", s.unread, err)
	}
}

// answerOf spells a frame of the router: "pong" with its content, or an envelope's status code, request id and payload.
// A frame that the router may not send fails the test.
func answerOf(t *testing.T, f frame) string {
	t.Helper()
	switch f.first {
	case 0x80 | opPong:
		return "pong " + string(f.payload)
	case 0x80 | opText:
		var e struct {
			Status  any    `json:"status_code"`
			ID      any    `json:"request_id"`
			Payload any    `json:"payload"`
			Service string `json:"service_name"`
		}
		if err := json.Unmarshal(f.payload, &e); err != nil || !utf8.Valid(f.payload) {
			t.Fatalf("%v: %.300q", err, f.payload)
		}
		answer := fmt.Sprintf("%v %q", e.Status, e.ID)
		if text, is := e.Payload.(string); is && text != "" {
			answer += " " + text
		}
		return answer
	}
	t.Fatalf("frame %x % .300x", f.first, f.payload)
	return ""
}

// whole returns one masked final frame.
func whole(op byte, payload string) []byte { return frameOf(0x80|op, payload) }

// frameOf returns one masked frame with a first byte.
func frameOf(first byte, payload string) []byte {
	return appendFrame(nil, first, uint64(len(payload)), true, []byte(payload))
}

// request is a message that the service answers with payload.
func request(id, payload string) string {
	return `{"service":"echo","topic":"echo","request_id":"` + id + `","payload":"` + payload + `"}`
}

// ask is a text frame with such a message, and answered what comes back.
func ask(id, payload string) []byte { return whole(opText, request(id, payload)) }

func answered(id, payload string) string {
	if payload != "" {
		payload = " " + payload
	}
	return fmt.Sprintf("200 %q%s", id, payload)
}

// inFragments cuts a message into fragments of size bytes, with other frames between each two.
func inFragments(op byte, message string, size int, between ...[]byte) []byte {
	var b []byte
	first := op
	for len(message) > size {
		b = append(b, frameOf(first, message[:size])...)
		b = append(b, bytes.Join(between, nil)...)
		message, first = message[size:], 0
	}
	return append(b, frameOf(0x80|first, message)...)
}
