package filter

import "bytes"

// AllowRequest reports whether s may send the service this request; see Refusal.
func (f *Filter) AllowRequest(s Subject, topic, payload []byte) bool {
	return f.Refusal(s, topic, payload) == ""
}

// Refusal returns the path of the rule that keeps s from sending the service this request and what
// it found; empty if the request may pass. Topic and payload are valid JSON, or nil where the
// request has none. Whomever require or scopes keep out may ask nothing, as no answer would reach
// them.
//
// The value of a tenant key must be null or the subscriber's domain to the letter. With @ it must
// be letters, digits and _ . + - in front of a single @ and the domain behind it, because services
// decode what they are sent; or empty, which names nobody. Of a key that comes more than once each
// occurrence is judged, and a payload that is no object names nobody.
func (f *Filter) Refusal(s Subject, topic, payload []byte) string {
	if f == nil {
		return "no policy"
	}
	i, rule := f.admit(s)
	if i < 0 {
		return rule
	}
	if len(f.requests) > 0 && present(topic) {
		name, ok := text(topic)
		if !ok {
			return "requests: the topic is no text"
		}
		if permissions, ruled := f.requests[string(name)]; ruled && !s.hasAny(permissions) {
			return "requests." + string(name)
		}
	}
	if len(f.tenants) > 0 && f.scopes[i].to != All && kind(payload) == '{' {
		return f.foreign(s, payload)
	}
	return ""
}

// Streams reports whether replies of this topic come in any number to one request, so that nobody
// waits for one of them.
func (f *Filter) Streams(topic string) bool { return f != nil && f.streams[topic] }

func present(value []byte) bool { return len(value) > 0 && string(value) != "null" }

// foreign returns the first tenant key of a request that does not name the domain of s.
func (f *Filter) foreign(s Subject, payload []byte) string {
	scan := scan(payload)
	for m, ok := scan.next(); ok; m, ok = scan.next() {
		key, ok := text(m.key)
		if !ok {
			return "tenant_keys: not JSON"
		}
		for _, c := range f.tenants {
			if string(key) == c.name && present(m.value) && !c.names(m.value, s.Domain) {
				return "tenant_keys." + c.name + ": names another tenant"
			}
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
	if !ok {
		return false
	}
	if !c.after {
		return domain != "" && string(word) == domain
	}
	if len(word) == 0 {
		return true
	}
	local, rest, _ := bytes.Cut(word, []byte{'@'})
	return domain != "" && len(local) > 0 && bytes.IndexFunc(local, strange) < 0 && string(rest) == domain
}

// strange reports whether r may mean something else to who reads a name than to us.
func strange(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return r != '_' && r != '.' && r != '+' && r != '-'
}
