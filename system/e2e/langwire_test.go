package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/client/clienttest"
)

// wireCase is what a router does to the first connection of a client. With the second one it behaves.
type wireCase struct {
	name string
	play func(*testing.T, *clienttest.Peer)
	want string // how the request fails; empty: it is not sent before the second connection
}

// upgrade is a case of an answer to the request to upgrade, in which ACCEPT stands for the right value. The client has to end the
// connection without another word.
func upgrade(name, answer string) wireCase {
	return wireCase{name, func(t *testing.T, p *clienttest.Peer) {
		greeting := []byte(`{"service_name":"authentication","status_code":407,"topic":"authenticate"}`)
		_, _ = p.Conn.Write(append([]byte(strings.ReplaceAll(answer, "ACCEPT", p.Key())), clienttest.Frame(1, greeting)...)) // it may have left
		if _, payload, err := p.ReadFrame(); err == nil {
			t.Errorf("the client goes on and says %q", payload)
		}
	}, ""}
}

// frames is a case of frames in place of an answer, and the code with which the client has to close the connection.
func frames(name string, code int, sent ...[]byte) wireCase {
	return wireCase{name, func(t *testing.T, p *clienttest.Peer) {
		accept(p)
		p.Login()
		p.Next()
		for _, b := range sent {
			p.Raw(b)
		}
		closedWith(t, p, code)
	}, "disconnected 1006 sent"}
}

func accept(p *clienttest.Peer) {
	p.Raw([]byte("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Accept: " + p.Key() + "\r\n\r\n"))
}

// ended waits until the client has ended the connection.
func ended(p *clienttest.Peer) { _, _ = io.Copy(io.Discard, p.Conn) }

// closedWith reads until the client has closed the connection with a code, and fails t if it is another one.
func closedWith(t *testing.T, p *clienttest.Peer, code int) {
	t.Helper()
	for {
		switch op, payload, err := p.ReadFrame(); {
		case err != nil:
			t.Error(err)
			return
		case op == 8:
			if !bytes.Equal(payload, []byte{byte(code >> 8), byte(code)}) {
				t.Errorf("the client closes with %x, want code %d", payload, code)
			}
			ended(p)
			return
		}
	}
}

func wireCases() []wireCase {
	const upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	frame := clienttest.Frame
	raw := func(b ...byte) []byte { return b }
	return []wireCase{
		upgrade("another key", upgraded+"Sec-WebSocket-Accept: c3Ryb3dnZXIgc3Ryb3dnZXIgc3Q=\r\n\r\n"),
		upgrade("no key", upgraded+"\r\n"),
		upgrade("no upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"),
		upgrade("no connection", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"),
		upgrade("an extension", upgraded+"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"),
		upgrade("a protocol", upgraded+"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n"),
		upgrade("no place", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
		upgrade("another status", strings.Replace(upgraded, "101", "1010", 1)+"Sec-WebSocket-Accept: ACCEPT\r\n\r\n"),
		upgrade("garbage", "\x00\xff\x16\x03\x01\r\n\r\n"),
		upgrade("half an answer", upgraded+"Sec-WebSo"),
		upgrade("a long answer", upgraded+"X: "+strings.Repeat("x", 20_000)+"\r\n\r\n"),
		{"ends at once", func(t *testing.T, p *clienttest.Peer) { _ = p.Conn.Close() }, ""},
		{"drips", func(t *testing.T, p *clienttest.Peer) {
			for range 1_000_000 {
				if _, err := p.Conn.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond) // the pace of the router is what is tested
			}
		}, ""},
		{"no greeting", func(t *testing.T, p *clienttest.Peer) { accept(p); ended(p) }, ""},
		{"garbage for a greeting", func(t *testing.T, p *clienttest.Peer) {
			accept(p)
			for _, b := range []string{"", "garbage", "[]", "1", `"authentication"`, `{"service_name":[]}`, `{"service_name":"authentication","status_code":"407"}`} {
				p.Frame(1, []byte(b))
			}
			ended(p)
		}, ""},
		{"silent after the token", func(t *testing.T, p *clienttest.Peer) { accept(p); p.Greet(); p.Token(); ended(p) }, ""},
		{"silent after the request", func(t *testing.T, p *clienttest.Peer) { accept(p); p.Login(); p.Next(); ended(p) }, "disconnected 1006 sent"},
		{"asks for a token again", func(t *testing.T, p *clienttest.Peer) { accept(p); p.Login(); p.Next(); p.Greet(); ended(p) }, "disconnected 1006 sent"},

		frames("masked", 1002, raw(0x81, 0x82, 1, 2, 3, 4, 5, 6)),
		frames("reserved bit", 1002, raw(0xC1, 0)),
		frames("reserved opcode", 1002, raw(0x83, 0)),
		frames("reserved control opcode", 1002, raw(0x8B, 0)),
		frames("long ping", 1002, raw(0x89, 126, 0, 126)),
		frames("fragmented ping", 1002, raw(0x09, 0)),
		frames("length of 2 bytes for 125", 1002, raw(0x81, 126, 0, 125)),
		frames("length of 8 bytes for 65535", 1002, raw(0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF)),
		frames("continuation of nothing", 1002, raw(0x80, 0)),
		frames("message in a message", 1002, raw(0x01, 0), raw(0x81, 0)),
		frames("close of one byte", 1002, frame(8, []byte{3})),
		frames("close with 1005", 1002, frame(8, []byte{3, 0xED})),
		frames("close with 5000", 1002, frame(8, []byte{0x13, 0x88})),
		frames("reason is not UTF-8", 1007, frame(8, []byte("\x03\xe9\xc3\x28"))),
		frames("not UTF-8", 1007, frame(1, []byte("{\"a\":\"\xed\xa0\x80\"}"))),
		frames("fragments are not UTF-8", 1007, raw(0x01, 1, 0xC3), raw(0x80, 1, 0x28)),
		frames("too long", 1009, raw(0x81, 127, 0, 0, 0, 0, 0, 16, 0, 1)),
		frames("too long for anybody", 1009, raw(0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0)),
		frames("too long together", 1009, append(raw(0x01, 127, 0, 0, 0, 0, 0, 16, 0, 0), make([]byte, 1<<20)...), raw(0x80, 1, 0)),
	}
}

// insist has a client ask a router. play has the first connection, and the second one is answered.
func insist(t *testing.T, l language, router *clienttest.Router, test wireCase, more ...string) {
	t.Helper()
	p := l.play(t, "ask", router.URL, "", more...)
	test.play(t, router.Asked())
	answerWeather(t, router.Accept())
	if test.want != "" {
		p.want(test.want)
	}
	p.want(`"sunny"`)
	p.done()
}

// answerWeather lets the client in and answers its request.
func answerWeather(t *testing.T, peer *clienttest.Peer) {
	t.Helper()
	peer.Login()
	m := peer.Next()
	if m.Service != "weather" || m.Topic != "today" || string(m.Payload) != `{"city":"Zürich"}` {
		t.Errorf("the client asks %+v", m)
	}
	peer.Reply(m, 200, "sunny")
	peer.Farewell()
}

// TestLangWire has routers break the rules of RFC 6455, say garbage, or say nothing. The client ends the connection and comes back.
func TestLangWire(t *testing.T) {
	for _, test := range wireCases() {
		t.Run(test.name, func(t *testing.T) {
			eachLanguage(t, func(t *testing.T, l language) { insist(t, l, clienttest.New(t), test) })
		})
	}
}

// TestLangFragments sends a reply in each way that RFC 6455 allows, and pings between.
func TestLangFragments(t *testing.T) {
	reply := func(m clienttest.Message, city string) []byte {
		return []byte(`{"service_name":"weather","status_code":200,"request_id":` + string(m.RequestID) + `,"payload":"` + city + `"}`)
	}
	long := strings.Repeat("sunny ☀ ", 10_000)
	for name, test := range map[string]struct {
		city string
		send func(t *testing.T, p *clienttest.Peer, message []byte)
	}{
		"a byte at a time": {"☀", func(t *testing.T, p *clienttest.Peer, message []byte) {
			for _, b := range clienttest.Frame(1, message) {
				p.Raw([]byte{b})
			}
		}},
		"fragments of a byte": {"☀", func(t *testing.T, p *clienttest.Peer, message []byte) {
			opcode := byte(1)
			for _, b := range message {
				p.Raw([]byte{opcode, 1, b})
				opcode = 0
				p.Frame(9, []byte("are you there?"))
				if op, payload := p.NextFrame(); op != 10 || string(payload) != "are you there?" {
					t.Fatalf("the client answers a ping by opcode %d, %q", op, payload)
				}
			}
			p.Raw([]byte{0x80, 0})
		}},
		"all at once": {"☀", func(t *testing.T, p *clienttest.Peer, message []byte) {
			p.Raw(bytes.Join([][]byte{clienttest.Frame(10, nil), clienttest.Frame(1, nil), clienttest.Frame(1, []byte("{}")),
				clienttest.Frame(1, []byte(`{"service_name":"news","request_id":""}`)), clienttest.Frame(1, message), clienttest.Frame(9, nil)}, nil))
		}},
		"binary": {"☀", func(t *testing.T, p *clienttest.Peer, message []byte) { p.Frame(2, message) }},
		"long":   {long, func(t *testing.T, p *clienttest.Peer, message []byte) { p.Frame(1, message) }},
		"as long as can be": {strings.Repeat("x", 1<<20-100), func(t *testing.T, p *clienttest.Peer, message []byte) {
			p.Frame(1, append(message, bytes.Repeat([]byte{' '}, 1<<20-len(message))...))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			eachLanguage(t, func(t *testing.T, l language) {
				router := clienttest.New(t)
				p := l.play(t, "ask", router.URL, "")
				peer := router.Accept()
				peer.Login()
				m := peer.Next()
				test.send(t, peer, reply(m, test.city))
				if got := p.next(); got != jsonText(test.city) {
					t.Errorf("the client got %.100q", got)
				}
				for {
					op, payload, err := peer.ReadFrame()
					if err != nil {
						t.Fatal(err)
					}
					if op == 8 {
						peer.Frame(8, payload)
						break
					}
				}
				p.done()
			})
		})
	}
}

// TestLangTLS connects with a certificate that is known, and with one that is not.
func TestLangTLS(t *testing.T) {
	for name, test := range map[string]struct {
		host  string // in the certificate
		known bool
		good  bool
	}{
		"good":         {"127.0.0.1", true, true},
		"unknown":      {"127.0.0.1", false, false},
		"another host": {"192.0.2.1", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			eachLanguage(t, func(t *testing.T, l language) {
				certificate, text := selfSigned(t, test.host)
				file := filepath.Join(t.TempDir(), "cert.pem")
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
				more := []string{file}
				if !test.known {
					more = nil
				}
				router := clienttest.New(t, certificate)
				p := l.play(t, "ask", router.URL, "", more...)
				if test.good {
					answerWeather(t, router.Accept())
					p.want(`"sunny"`)
					p.done()
					return
				}
				for range 3 { // it comes back, and says nothing
					conn := router.Conn()
					if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
						t.Errorf("the client speaks to a router that it does not know")
					}
					_ = conn.Close()
				}
			})
		})
	}
}

// selfSigned returns a certificate for an address, and as text.
func selfSigned(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(host)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
