package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
)

// Path is where the console is. All of it is below.
const Path = "/console/"

// largestBody is the most that a request may send, in bytes.
const largestBody = 4 << 10

// ServeHTTP answers what is below Path.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Origin, Cookie")
	switch r.URL.Path {
	case Path + "access":
		c.only(http.MethodGet, w, r, c.access)
	case Path + "login":
		c.only(http.MethodPost, w, r, c.login)
	case Path + "logout":
		c.only(http.MethodPost, w, r, c.logout)
	case Path + "token":
		c.only(http.MethodPost, w, r, c.token)
	case Path + "ws":
		c.only(http.MethodGet, w, r, c.upgrade)
	case Path[:len(Path)-1]:
		http.Redirect(w, r, Path, http.StatusPermanentRedirect)
	default:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			c.only(http.MethodGet, w, r, nil)
			return
		}
		c.page.ServeHTTP(w, r)
	}
}

// only lets requests of one method through that no page of another origin has sent.
func (c *Console) only(method string, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	switch {
	case r.Method != method:
		w.Header().Set("Allow", method)
		refuse(w, http.StatusMethodNotAllowed, "want "+method)
	case foreign(r):
		c.noteForeign(r)
		refuse(w, http.StatusForbidden, "a page of another origin may not use the console")
	default:
		next(w, r)
	}
}

func (c *Console) access(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Way     way    `json:"way"`
		Session bool   `json:"session"`
		Actions bool   `json:"actions"`
		Reason  string `json:"reason,omitempty"`
	}{Way: c.way(r), Actions: true}
	_, _, answer.Session = c.session(r)
	if answer.Way == wayNone {
		answer.Reason, answer.Actions = noWay, false
	}
	reply(w, http.StatusOK, answer)
}

// read decodes the body of a POST, which is JSON so that no form of another page can send it.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "want Content-Type: application/json")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("the body cannot be read, or has more than %d bytes", largestBody))
		return false
	}
	if err := json.Unmarshal(body, v); err != nil {
		refuse(w, http.StatusBadRequest, "the body is not the JSON that is wanted here")
		return false
	}
	return true
}

var errPassword = errors.New("the password is wrong")

type credentials struct {
	Password string `json:"password"`
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	var in credentials
	if !read(w, r, &in) || !c.knows(w, r, in.Password) {
		return
	}
	c.audit.add(entry{At: c.clock.Now(), Who: "password", From: c.proxies.Client(r), Action: "login", Result: "ok"})
	c.setCookie(w, r, c.logins.begin(), int(c.o.Session.Seconds()))
	w.WriteHeader(http.StatusNoContent)
}

// logout ends the session of a cookie, and closes the connections of all who have that cookie.
func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil && c.logins.end(cookie.Value) {
		c.cutOff()
	}
	c.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// knows looks at a password. If it is wrong or cannot be looked at now, knows answers and returns false.
func (c *Console) knows(w http.ResponseWriter, r *http.Request, password string) bool {
	from, ok := c.proxies.ClientAddr(r)
	if c.hash == nil || !ok {
		refuse(w, http.StatusForbidden, noWay)
		return false
	}
	// One at a time: each takes memory, and guesses must not add up to more of it. So the second of two that come
	// together also finds what the first one has counted.
	c.checking.Lock()
	defer c.checking.Unlock()
	if wait := c.attempts.wait(from); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
		reply(w, http.StatusTooManyRequests, map[string]any{
			"error": fmt.Sprintf("too many wrong passwords (admin.password_attempts): wait %d s", seconds), "retry_after": seconds})
		return false
	}
	if len(password) > LongestPassword || !c.hash.is(password) {
		c.attempts.failed(from)
		c.audit.add(entry{At: c.clock.Now(), Who: "nobody", From: c.proxies.Client(r), Action: "login", Result: errPassword.Error()})
		refuse(w, http.StatusUnauthorized, errPassword.Error())
		return false
	}
	c.attempts.succeeded(from)
	return true
}

// token answers with a token for one connection. Programs send the password with the request; a browser has a session.
func (c *Console) token(w http.ResponseWriter, r *http.Request) {
	var in credentials
	if !read(w, r, &in) {
		return
	}
	v, ok := c.visitor(r)
	if !ok && in.Password != "" {
		if !c.knows(w, r, in.Password) {
			return
		}
		v, ok = visitor{name: "password", from: c.proxies.Client(r), until: c.clock.Now().Add(c.o.Session)}, true
	}
	switch {
	case ok:
		name, hash := c.tokens.issue(v)
		reply(w, http.StatusOK, map[string]string{"name": name, "hash": hash})
	case c.hash != nil:
		refuse(w, http.StatusUnauthorized, "a password is needed")
	default:
		refuse(w, http.StatusForbidden, noWay)
	}
}

// upgrade gives the connection to the console's world, which reads the request again.
func (c *Console) upgrade(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 {
		refuse(w, http.StatusHTTPVersionNotSupported, "want HTTP/1.1")
		return
	}
	inside, err := c.open()
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "the console stops")
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the connection cannot be upgraded")
		return
	}
	// What net/http has set is over.
	_ = conn.SetDeadline(time.Time{})
	inside.take(conn, head(r, buffered.Reader))
}

// head returns a request as it goes over the wire, and what came after it.
func head(r *http.Request, rest *bufio.Reader) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.Host)
	_ = r.Header.WriteSubset(&b, map[string]bool{"Cookie": true}) // a buffer takes all
	b.WriteString("\r\n")
	if n := rest.Buffered(); n > 0 {
		p, _ := rest.Peek(n)
		b.Write(p)
	}
	return b.Bytes()
}

func refuse(w http.ResponseWriter, status int, reason string) {
	reply(w, status, map[string]string{"error": reason})
}

func reply(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer is no JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who does not want to read it need not
}
