package filter

import (
	"bytes"
	"slices"
	"strings"

	"strowger/config/policy"
)

// AllowRequest reports whether s may send the service this request; see Refusal.
func (f *Filter) AllowRequest(s Subject, topic, payload []byte) bool {
	return f.Refusal(s, topic, payload) == ""
}

// Refusal returns the path of the rule that keeps s from sending the service this request and what
// it found; empty if the request may pass. Topic and payload are valid JSON, or nil where the
// request has none. The result is made of words of the policy, never of words of the request.
//
// A subscriber that could get no answer may ask nothing: one whom require or scopes keep out, one
// whom the scope gives nothing for lack of a domain or extensions, and one who lacks the permission
// for messages of the request's topic.
//
// The value of a tenant key must be null or the subscriber's domain to the letter. With @ it must
// be letters, digits and _ . - in front of a single @ and the domain after it, because services
// decode what they are sent; or empty, which names nobody. With @? it may be any text without
// control characters and % + & = ; | $ \ " ` < > { } [ ], and what follows an @ must be the domain. The value of a plain
// key must be null, true, false, a number, or a text as with @ of which the @ and the domain may be
// absent; or a list of such. Of a key that comes more than once each occurrence is judged, and a
// payload that is no object names nobody.
func (f *Filter) Refusal(s Subject, topic, payload []byte) string {
	if f == nil {
		return noPolicy
	}
	i, rule := f.admit(s)
	if i < 0 {
		return rule
	}
	if f.unanswerable(i, s) {
		return f.name(i) + ": no answer could reach one without a domain or extension of its own"
	}
	name, ok := text(topic)
	if len(f.requests) > 0 && present(topic) && !ok {
		return "requests: the topic is no text"
	}
	if permissions, ruled := f.requests[string(name)]; ok && ruled && !s.hasAny(permissions) {
		return "requests." + string(name)
	}
	if set, ruled := f.topics[string(name)]; ok && ruled && !s.hasAny(f.sets[set].any) {
		return "topic_permissions." + string(name) + ": no answer could reach one without the permission"
	}
	if len(f.tenants)+len(f.plain) > 0 && f.scopes[i].to != policy.All && kind(payload) == '{' {
		return f.foreign(s, payload)
	}
	return ""
}

// unanswerable reports whether scope i lets no answer reach s, which lacks what the scope compares
// with. Of a list without own elements nothing is left, and a broadcast is no answer: so list keys
// and absent.events do not count.
func (f *Filter) unanswerable(i int, s Subject) bool {
	sc, a := &f.scopes[i], &f.absent
	if len(sc.accept)+len(a.topics)+len(a.lists) > 0 || a.pass {
		return false
	}
	switch sc.to {
	case policy.Domain:
		return s.Domain == ""
	case policy.Extensions:
		return !slices.ContainsFunc(s.Extensions, func(e string) bool { return e != "" && !strings.Contains(e, separator) })
	}
	return false
}

// Streams reports whether replies of this topic come in any number to one request, so that nobody
// waits for one of them.
func (f *Filter) Streams(topic string) bool { return f != nil && f.streams[topic] }

func present(value []byte) bool { return len(value) > 0 && string(value) != "null" }

// foreign returns the first tenant or plain key of a request that may name something of another
// domain than that of s.
func (f *Filter) foreign(s Subject, payload []byte) string {
	scan := scan(payload)
	for m, ok := scan.next(); ok; m, ok = scan.next() {
		key, ok := text(m.key)
		if !ok {
			return "tenant_keys: not JSON"
		}
		if !present(m.value) {
			continue
		}
		for _, c := range f.tenants {
			if string(key) == c.name && !c.names(m.value, s.Domain) {
				return "tenant_keys." + c.name + ": names another tenant"
			}
		}
		if f.plain[string(key)] && !plainOrList(m.value, s.Domain) {
			return "plain_keys." + string(key) + ": is no plain name"
		}
	}
	if !scan.done {
		return "tenant_keys: not JSON"
	}
	return ""
}

// names reports whether the value of a tenant key, which is not null, names the domain or nobody.
func (c carrier) names(value []byte, domain string) bool {
	word, ok := text(value)
	switch {
	case !ok:
		return false
	case !c.after:
		return domain != "" && string(word) == domain
	case len(word) == 0:
		return true
	case c.maybe:
		_, rest, at := bytes.Cut(word, []byte{'@'})
		return bytes.IndexFunc(word, decoded) < 0 && (!at || domain != "" && string(rest) == domain)
	}
	local, rest, _ := bytes.Cut(word, []byte{'@'})
	return len(local) > 0 && bytes.IndexFunc(local, strange) < 0 && domain != "" && string(rest) == domain
}

// plainOrList reports whether the value of a plain key, or each element of it, is a plain name.
func plainOrList(value []byte, domain string) bool {
	if kind(value) != '[' {
		return plain(value, domain)
	}
	elements := scan(value)
	for m, ok := elements.next(); ok; m, ok = elements.next() {
		if !plain(m.value, domain) {
			return false
		}
	}
	return elements.done
}

// plain reports whether a value is a name of letters, digits and _ . - * #, of which the first may be
// a +, as in telephone numbers. It may end in @ and the domain.
func plain(value []byte, domain string) bool {
	switch kind(value) {
	case '{', '[':
		return false
	case '"':
	default:
		return true // a number, true, false or null
	}
	word, ok := text(value)
	if !ok {
		return false
	}
	local, rest, at := bytes.Cut(word, []byte{'@'})
	local = bytes.TrimPrefix(local, []byte{'+'})
	odd := func(r rune) bool { return strange(r) && r != '*' && r != '#' }
	if bytes.IndexFunc(local, odd) >= 0 {
		return false
	}
	return !at || len(local) > 0 && domain != "" && string(rest) == domain
}

// strange reports whether r may mean something else to who reads a name than to us. A + is decoded to
// a space.
func strange(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '_' && r != '.' && r != '-'
}

// decoded reports whether r may begin or end a part of a command, or be decoded to what does.
func decoded(r rune) bool {
	return r < ' ' || r == 0x7f || r < 0x7f && strings.ContainsRune("%+&=;|$\\\"`<>{}[]", r)
}
