package ticket

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Session names an identity over all its connections. Generation counts them.
type Session struct {
	ID         [16]byte
	Generation uint32
}

// Contents is what a ticket holds.
type Contents struct {
	Session Session
	// Issued and Until are when the ticket was made and when it ends, to the millisecond.
	Issued, Until time.Time

	Services    []string
	Permissions []string
	DomainName  string
	DomainUUID  string
	UserUUID    string
	UserName    string
	Extensions  []string
	ExpiresAt   time.Time // when the identity ends; zero: never
	Bearer      string
	RenewBy     string
}

// written is Contents as it is sealed. Its keys are short, because each client keeps it.
type written struct {
	Session     []byte   `json:"s"`
	Generation  uint32   `json:"g,omitempty"`
	Issued      int64    `json:"i"` // milliseconds since 1970, as the others
	Until       int64    `json:"u"`
	Services    []string `json:"v,omitempty"`
	Permissions []string `json:"p,omitempty"`
	DomainName  string   `json:"d,omitempty"`
	DomainUUID  string   `json:"du,omitempty"`
	UserUUID    string   `json:"uu,omitempty"`
	UserName    string   `json:"un,omitempty"`
	Extensions  []string `json:"e,omitempty"`
	ExpiresAt   int64    `json:"x,omitempty"` // nanoseconds since 1970
	Bearer      string   `json:"b,omitempty"`
	RenewBy     string   `json:"r,omitempty"`
}

// format is the first byte of a ticket.
const format = 1

// inflated bounds what a ticket holds. Only a key's owner could make one that holds more.
const inflated = 4 << 20

// deflaters are kept, because each has more than half a megabyte.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is a good one
	return w
}}

func deflate(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	_, err := w.Write(text)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// seal returns the text of a ticket.
func (k keys) seal(c *Contents) (string, error) {
	text, err := json.Marshal(&written{
		Session: c.Session.ID[:], Generation: c.Session.Generation, Issued: c.Issued.UnixMilli(), Until: c.Until.UnixMilli(),
		Services: c.Services, Permissions: c.Permissions, DomainName: c.DomainName, DomainUUID: c.DomainUUID,
		UserUUID: c.UserUUID, UserName: c.UserName, Extensions: c.Extensions, ExpiresAt: nanoseconds(c.ExpiresAt), Bearer: c.Bearer, RenewBy: c.RenewBy,
	})
	if err != nil {
		return "", err //nolint:wrapcheck // nothing in it fails
	}
	if len(text) > inflated {
		return "", ErrTooBig
	}
	packed, err := deflate(text)
	if err != nil {
		return "", err
	}
	head := append([]byte{format}, k[0].id[:]...)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // it never fails
	out := append(append(make([]byte, 0, len(head)+len(nonce)+len(packed)+chacha20poly1305.Overhead), head...), nonce...)
	return base64.RawURLEncoding.EncodeToString(k[0].aead.Seal(out, nonce, packed, head)), nil
}

// open returns what a ticket holds, whenever it ends.
func (k keys) open(text string) (*Contents, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	const head = 1 + keyIDSize
	if err != nil || strings.ContainsAny(text, "\r\n") || len(data) < head+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead || data[0] != format {
		return nil, ErrForm
	}
	key, known := k.find(keyID(data[1:head]))
	if !known {
		return nil, ErrKey
	}
	nonce, sealed := data[head:head+chacha20poly1305.NonceSizeX], data[head+chacha20poly1305.NonceSizeX:]
	packed, err := key.aead.Open(nil, nonce, sealed, data[:head])
	if err != nil {
		return nil, ErrForged
	}
	inside := io.LimitReader(flate.NewReader(bytes.NewReader(packed)), inflated+1)
	plain, err := io.ReadAll(inside)
	if err != nil || len(plain) > inflated {
		return nil, ErrInside
	}
	var w written
	if err := json.Unmarshal(plain, &w); err != nil || len(w.Session) != len(Session{}.ID) {
		return nil, ErrInside
	}
	return &Contents{
		Session: Session{ID: [16]byte(w.Session), Generation: w.Generation}, Issued: time.UnixMilli(w.Issued), Until: time.UnixMilli(w.Until),
		Services: w.Services, Permissions: w.Permissions, DomainName: w.DomainName, DomainUUID: w.DomainUUID,
		UserUUID: w.UserUUID, UserName: w.UserName, Extensions: w.Extensions, ExpiresAt: moment(w.ExpiresAt), Bearer: w.Bearer, RenewBy: w.RenewBy,
	}, nil
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}
