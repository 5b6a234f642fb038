package transport

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"strowger/transport/frame"
)

func TestAgree(t *testing.T) {
	const plain, with15 = extension, extension + "; server_max_window_bits=15"
	tests := map[string]struct{ offers, want string }{
		"nothing":                        {"", ""},
		"alone":                          {"permessage-deflate", plain},
		"as Chromium":                    {"permessage-deflate; client_max_window_bits", plain},
		"both takeovers":                 {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain},
		"a window of the client's":       {"permessage-deflate; client_max_window_bits=10", plain},
		"in quotes":                      {`permessage-deflate; client_max_window_bits="10"`, plain},
		"in another case":                {"Permessage-Deflate; Client_Max_Window_Bits", plain},
		"white space":                    {"permessage-deflate ;\tclient_max_window_bits = 10 ", plain},
		"the whole window":               {"permessage-deflate; server_max_window_bits=15", with15},
		"a small window":                 {"permessage-deflate; server_max_window_bits=10", ""},
		"a fallback":                     {"permessage-deflate; server_max_window_bits=10, permessage-deflate", plain},
		"the second of RFC 7692, 7.1.3":  {"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits", plain},
		"another extension":              {"x-webkit-deflate-frame", ""},
		"behind another extension":       {`foo; a="b, permessage-deflate; x", permessage-deflate`, plain},
		"an unknown parameter":           {"permessage-deflate; what", ""},
		"an unknown parameter in quotes": {`permessage-deflate; what="a\", permessage-deflate"`, ""},
		"twice":                          {"permessage-deflate; client_max_window_bits; client_max_window_bits=10", ""},
		"twice in another case":          {"permessage-deflate; server_no_context_takeover; Server_No_Context_Takeover", ""},
		"a value too many":               {"permessage-deflate; server_no_context_takeover=1", ""},
		"another value too many":         {"permessage-deflate; client_no_context_takeover=", ""},
		"a value too few":                {"permessage-deflate; server_max_window_bits", ""},
		"an empty value":                 {"permessage-deflate; client_max_window_bits=", ""},
		"too small":                      {"permessage-deflate; client_max_window_bits=7", ""},
		"too large":                      {"permessage-deflate; client_max_window_bits=16", ""},
		"a leading zero":                 {"permessage-deflate; client_max_window_bits=08", ""},
		"a sign":                         {"permessage-deflate; client_max_window_bits=+9", ""},
		"half a quote":                   {`permessage-deflate; client_max_window_bits="9`, ""},
		"an empty parameter":             {"permessage-deflate;", ""},
		"the name with a value":          {"permessage-deflate=1", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := agree(test.offers); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The messages of RFC 7692, section 7.2.3, and what a decoder makes of bits that must not be there.
func TestCompressedFrames(t *testing.T) {
	unhex := func(text string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	hello := unhex("f248cdc9c90700")
	const fin, rsv1, rsv2 = 0x80, deflated, 0x20
	tests := map[string]struct {
		frames  [][]byte // masked
		unpacks bool
		want    string
		code    frame.CloseCode
	}{
		"7.2.3.1, one block":          {[][]byte{masked(fin|rsv1|1, hello)}, true, "Hello", 0},
		"7.2.3.1, in fragments":       {[][]byte{masked(rsv1|1, hello[:3]), masked(fin, hello[3:])}, true, "Hello", 0},
		"7.2.3.3, no compression":     {[][]byte{masked(fin|rsv1|1, unhex("000500faff48656c6c6f00"))}, true, "Hello", 0},
		"7.2.3.4, BFINAL":             {[][]byte{masked(fin|rsv1|1, unhex("f348cdc9c9070000"))}, true, "Hello", 0},
		"7.2.3.5, two blocks":         {[][]byte{masked(fin|rsv1|1, unhex("f248050000 00ffffcac9c90700"))}, true, "Hello", 0},
		"a ping between fragments":    {[][]byte{masked(rsv1|2, hello[:3]), masked(fin|9, nil), masked(fin, hello[3:])}, true, "Hello", 0},
		"plain":                       {[][]byte{masked(fin|1, []byte("Hello"))}, true, "Hello", 0},
		"plain after compressed":      {[][]byte{masked(fin|rsv1|1, hello), masked(fin|1, []byte("Hi"))}, true, "HelloHi", 0},
		"nothing":                     {[][]byte{masked(fin|rsv1|1, []byte{0}), masked(fin|1, []byte("x"))}, true, "x", 0},
		"no agreement":                {[][]byte{masked(fin|rsv1|1, hello)}, false, "", 1002},
		"another reserved bit":        {[][]byte{masked(fin|rsv1|rsv2|1, hello)}, true, "", 1002},
		"a compressed ping":           {[][]byte{masked(fin|rsv1|9, hello)}, true, "", 1002},
		"a compressed close":          {[][]byte{masked(fin|rsv1|8, hello)}, true, "", 1002},
		"a compressed continuation":   {[][]byte{masked(rsv1|1, hello[:3]), masked(fin|rsv1, hello[3:])}, true, "", 1002},
		"a continuation of plain":     {[][]byte{masked(1, []byte("He")), masked(fin|rsv1, hello)}, true, "", 1002},
		"no DEFLATE":                  {[][]byte{masked(fin|rsv1|1, []byte{0xFF, 0xFF, 0xFF})}, true, "", 1002},
		"a stored block cut short":    {[][]byte{masked(fin|rsv1|1, unhex("00ff0000ff4865"))}, true, "", 1002},
		"of the message before":       {[][]byte{masked(fin|rsv1|1, hello), masked(fin|rsv1|1, unhex("f200110000"))}, true, "Hello", 1002}, // 7.2.3.2: needs its context
		"not UTF-8":                   {[][]byte{masked(fin|rsv1|1, packed([]byte{0xFF, 0xFE}))}, true, "", 1007},
		"binary need not be UTF-8":    {[][]byte{masked(fin|rsv1|2, packed([]byte{0xFF, 0xFE}))}, true, "\xFF\xFE", 0},
		"as long as may be":           {[][]byte{masked(fin|rsv1|1, packed(bytes.Repeat([]byte("x"), 1000)))}, true, strings.Repeat("x", 1000), 0},
		"a byte longer":               {[][]byte{masked(fin|rsv1|1, packed(bytes.Repeat([]byte("x"), 1001)))}, true, "", 1009},
		"a bomb":                      {[][]byte{masked(fin|rsv1|1, packed(make([]byte, 900<<10)))}, true, "", 1009},
		"a long one that is not good": {[][]byte{masked(fin|rsv1|1, bytes.Repeat([]byte{0}, 1001))}, true, "", 1009},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, whole := range []bool{true, false} {
				d := decoder{unpacks: test.unpacks}
				got := &kept{}
				err := feedAll(&d, bytes.Join(test.frames, nil), got, whole)
				if got.text != test.want {
					t.Errorf("got %.20q, want %.20q", got.text, test.want)
				}
				v, bad := errors.AsType[*violation](err)
				if bad != (test.code != 0) || bad && v.code != test.code {
					t.Errorf("%v, want code %d", err, test.code)
				}
			}
		})
	}
}

// kept takes messages of up to 1000 bytes.
type kept struct{ text string }

func (k *kept) limit() int64        { return 1000 }
func (k *kept) fragments() int      { return 0 }
func (k *kept) message(data []byte) { k.text += string(data) }
func (k *kept) ping([]byte)         {}

// feedAll gives a decoder bytes at once or one by one.
func feedAll(d *decoder, p []byte, to received, whole bool) error {
	if whole {
		return d.feed(p, to)
	}
	for i := range p {
		if err := d.feed(p[i:i+1], to); err != nil {
			return err
		}
	}
	return nil
}

// packed compresses a message as a peer does.
func packed(text []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	_, _ = w.Write(text)
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), flushed)
}

// A message is decompressed to what it was, and never to more than the limit.
func FuzzInflate(f *testing.F) {
	for _, p := range [][]byte{{}, {0}, packed([]byte("Hello")), packed(make([]byte, 4096)), {0xFF}, packed(bytes.Repeat([]byte("ab"), 600))} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if out, err := inflate(p, 1000); err == nil && len(out) > 1000 {
			t.Errorf("%d bytes", len(out))
		}
		if len(p) > 1000 {
			return
		}
		if out, err := inflate(packed(p), 1000); err != nil || !bytes.Equal(out, p) {
			t.Errorf("got %x, %v; want %x", out, err, p)
		}
	})
}

// withCompression has messages from 100 bytes on compressed.
func withCompression(l *Limits) {
	l.Compression, l.CompressionLevel, l.CompressionThreshold = true, 1, 100
}

// offering shakes hands with an offer, and returns what the answer says to it.
func (s *server) offering(offer string) (p *peer, answer string) {
	s.t.Helper()
	p = s.connect()
	head := fmt.Sprintf(upgrade, s.Addr())
	if offer != "" {
		head = strings.TrimSuffix(head, "\r\n") + "Sec-WebSocket-Extensions: " + offer + "\r\n\r\n"
	}
	p.write([]byte(head))
	r, err := http.ReadResponse(p.br, nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("response %v, err %v", r, err)
	}
	_ = r.Body.Close()
	return p, r.Header.Get("Sec-WebSocket-Extensions")
}

// rawFrame reads a frame with its first byte.
func (p *peer) rawFrame() (first byte, payload []byte) {
	p.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(p.br, head[:]); err != nil {
		p.t.Fatal(err)
	}
	n := uint64(head[1])
	if n == 126 || n == 127 {
		var long [8]byte
		size := map[uint64]int{126: 2, 127: 8}[n]
		if _, err := io.ReadFull(p.br, long[8-size:]); err != nil {
			p.t.Fatal(err)
		}
		n = binary.BigEndian.Uint64(long[:])
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(p.br, payload); err != nil {
		p.t.Fatal(err)
	}
	return head[0], payload
}

// A broadcast is compressed once for all who read that, and others get it as it is. Short ones stay plain.
func TestCompressedOnceForAll(t *testing.T) {
	s := newServer(t, nil, withCompression)
	service := s.login("service:s")
	var pages []*peer
	for i := range 6 {
		offer, want := "permessage-deflate; client_max_window_bits", extension
		if i == 5 {
			offer, want = "", ""
		}
		p, got := s.offering(offer)
		if got != want {
			t.Fatalf("answer %q, want %q", got, want)
		}
		p.status(407)
		p.login("client:s")
		pages = append(pages, p)
	}
	long := `"` + strings.Repeat("abc", 1000) + `"`
	service.text(broadcast("s", long))
	service.text(broadcast("s", 1))
	for i, p := range pages {
		first, payload := p.rawFrame()
		if first != 0x81|deflated && i < 5 || first != 0x81 && i == 5 {
			t.Fatalf("page %d: first byte %x", i, first)
		}
		if i < 5 {
			if len(payload) > 500 {
				t.Errorf("%d bytes", len(payload))
			}
			var err error
			if payload, err = inflate(payload, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Contains(payload, []byte(long)) {
			t.Errorf("page %d got %.100s", i, payload)
		}
	}
	for i, p := range pages {
		// The envelope of a short message is longer than the threshold, and compresses as well.
		if first, payload := p.rawFrame(); i == 5 && (first != 0x81 || !bytes.Contains(payload, []byte(`"payload":1`))) {
			t.Errorf("first byte %x, %.100s", first, payload)
		}
	}
	if got := s.Compressed(); got.Messages != 2 || got.After >= got.Before/2 {
		t.Errorf("%+v, want each compressed once", got)
	}
}

// What a page sends compressed is routed as what it sends plain, and its limits hold after it is decompressed.
func TestCompressedFromAPage(t *testing.T) {
	s := newServer(t, nil, withCompression)
	service := s.login("service:s")
	p, _ := s.offering("permessage-deflate")
	p.status(407)
	p.login("client")
	p.write(masked(0x81|deflated, packed([]byte(`{"service":"s","request_id":"1","payload":"`+strings.Repeat("x", 10000)+`"}`))))
	if m := service.envelope(); len(m.Payload) != 10002 {
		t.Errorf("%d bytes", len(m.Payload))
	}
	p.write(masked(0x81|deflated, packed(make([]byte, 1<<20+1))))
	p.closed(frame.CloseTooBig)
}

// A bomb of one that has not authenticated is bounded as its messages are.
func TestBombBeforeAuthentication(t *testing.T) {
	s := newServer(t, nil, withCompression)
	p, _ := s.offering("permessage-deflate")
	p.status(407)
	p.write(masked(0x81|deflated, packed(make([]byte, 8<<20))))
	p.closed(frame.CloseTooBig)
}

// Nothing is agreed to where compression is off, and a compressed frame is an error there.
func TestNoCompressionByDefault(t *testing.T) {
	s := newServer(t, nil, nil)
	p, answer := s.offering("permessage-deflate")
	if answer != "" {
		t.Fatalf("answer %q", answer)
	}
	p.status(407)
	p.write(masked(0x81|deflated, packed([]byte("{}"))))
	p.closed(frame.CloseProtocolError)
}

// A request that is not plain is agreed with as one that is.
func TestAgreementOfOddRequests(t *testing.T) {
	s := newServer(t, nil, withCompression)
	for offer, want := range map[string]string{
		"permessage-deflate; x\r\nSec-WebSocket-Extensions: permessage-deflate": extension,
		"foo\r\nTrailer: x": "",
	} {
		if _, got := s.offering(offer); got != want {
			t.Errorf("%q: answer %q", offer, got)
		}
	}
}

// A message over 1 MiB is not compressed, because others would wait for that.
func TestLongestCompressed(t *testing.T) {
	s := newServer(t, nil, withCompression)
	service := s.login("service:s")
	page, _ := s.offering("permessage-deflate")
	page.status(407)
	page.login("client:s")
	envelope := len(broadcast("s", `""`)) // about; the router writes more keys
	for length, want := range map[int]byte{longestPacked - 1000 - envelope: 0x81 | deflated, longestPacked: 0x81} {
		service.text(broadcast("s", `"`+strings.Repeat("x", length)+`"`))
		if first, _ := page.rawFrame(); first != want {
			t.Errorf("%d bytes: first byte %x, want %x", length, first, want)
		}
	}
}
