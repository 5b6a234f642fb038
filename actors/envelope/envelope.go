package envelope

// Raw is one JSON value exactly as a peer wrote it, so that the spelling of numbers and the order
// of keys survive; nil stands for an absent key. It is never changed after decoding.
type Raw []byte

// Envelope is the protocol's message (protocol 3.1). Its fields are in the order in which they
// are written. It is immutable once it has been passed on.
type Envelope struct {
	ID           Raw // any JSON; nil: a fresh id is written
	Payload      Raw // any JSON; nil: null
	ServiceName  Raw // string, or a number as some clients send
	TokenName    Raw
	TokenHash    Raw
	StatusString Raw
	StatusCode   Raw // integer, or "" when there is none
	RequestID    Raw // any JSON, echoed with its type
	ResourceID   Raw // the requester's subscriber id
	DomainUUID   Raw
	DomainName   Raw
	Permissions  Raw // object of name: true, or [] when empty
	Topic        Raw
}

// Message is an envelope as it came from a peer, with what the router must know of its spelling.
type Message struct {
	Envelope
	// Authentication is true when the key `service`, spelled so, says "authentication"; the alias
	// service_name does not count (protocol 4.1).
	Authentication bool
	// Overflow is true when a number in it exceeds what a float64 can hold.
	Overflow bool
}

// Decode returns one message, which may have any number of keys; see Message.Decode.
func Decode(data []byte, depth int) (*Message, error) {
	m := new(Message)
	if err := m.Decode(data, depth, 0); err != nil {
		return nil, err
	}
	return m, nil
}

// Decode reads one message into m, which is zero. The envelope's fields point into data, which must not change
// afterwards. Unknown keys are dropped, of a key that comes twice the last one counts, and objects
// and lists may be nested depth levels deep. The object may have so many keys, and any number if keys is 0; those
// inside its values do not count. The error is ErrSyntax, ErrUTF8, ErrDepth, ErrKeys, ErrNotObject or ErrEmpty.
func (m *Message) Decode(data []byte, depth, keys int) error {
	overflow, err := fields(data, depth, keys, m.set)
	m.Overflow = overflow
	return err
}

func (m *Message) set(key, value []byte) {
	switch name(key) {
	case "id":
		m.ID = value
	case "payload":
		m.Payload = value
	case "service":
		m.ServiceName = value
		service, _ := View(value)
		m.Authentication = service == "authentication"
	case "service_name":
		m.ServiceName = value
	case "token":
		m.setToken(value)
	case "token_name":
		m.TokenName = value
	case "token_hash":
		m.TokenHash = value
	case "status_string", "statusString":
		m.StatusString = value
	case "status_code", "statusCode":
		m.StatusCode = value
	case "request_id":
		m.RequestID = value
	case "resource_id":
		m.ResourceID = value
	case "domain_uuid":
		m.DomainUUID = value
	case "domain_name":
		m.DomainName = value
	case "permissions":
		m.Permissions = value
	case "topic":
		m.Topic = value
	}
}

// name returns a key's text; most keys need no decoding, and then the conversion is free.
func name(key []byte) string {
	for _, c := range key {
		if c == '\\' {
			return unquote(key)
		}
	}
	return string(key)
}

// setToken takes name and hash out of the key `token`, which is never written as such.
func (m *Message) setToken(value []byte) {
	_, _ = fields(value, MaxDepth, 0, func(key, value []byte) {
		switch name(key) {
		case "name":
			m.TokenName = value
		case "hash":
			m.TokenHash = value
		}
	})
}

// Append appends the envelope as JSON: always all 13 keys, absent ones with their defaults.
func (e *Envelope) Append(dst []byte) []byte { return e.AppendWith(dst, nil) }

// AppendWith is Append with more keys, each after a comma. They come after the keys of the envelope.
func (e *Envelope) AppendWith(dst []byte, more Raw) []byte {
	dst = append(dst, `{"id":`...)
	if e.ID != nil {
		dst = append(dst, e.ID...)
	} else {
		dst = appendID(dst)
	}
	dst = field(dst, `,"payload":`, e.Payload, `null`)
	dst = field(dst, `,"service_name":`, e.ServiceName, `""`)
	dst = field(dst, `,"token_name":`, e.TokenName, `""`)
	dst = field(dst, `,"token_hash":`, e.TokenHash, `""`)
	dst = field(dst, `,"status_string":`, e.StatusString, `""`)
	dst = field(dst, `,"status_code":`, e.StatusCode, `""`)
	dst = field(dst, `,"request_id":`, e.RequestID, `""`)
	dst = field(dst, `,"resource_id":`, e.ResourceID, `""`)
	dst = field(dst, `,"domain_uuid":`, e.DomainUUID, `""`)
	dst = field(dst, `,"domain_name":`, e.DomainName, `""`)
	dst = field(dst, `,"permissions":`, e.Permissions, `[]`)
	dst = field(dst, `,"topic":`, e.Topic, `""`)
	dst = append(dst, more...)
	return append(dst, '}')
}

func field(dst []byte, key string, value Raw, absent string) []byte {
	dst = append(dst, key...)
	if value == nil {
		return append(dst, absent...)
	}
	return append(dst, value...)
}

// EnvelopeBytes is an upper bound for the bytes that Append writes besides the values of the envelope.
// The text form of a message is at most so much longer than the message that was decoded.
const EnvelopeBytes = 256

// Size returns an upper bound for the number of bytes that Append writes.
func (e *Envelope) Size() int {
	return EnvelopeBytes + len(e.ID) + len(e.Payload) + len(e.ServiceName) + len(e.TokenName) +
		len(e.TokenHash) + len(e.StatusString) + len(e.StatusCode) + len(e.RequestID) +
		len(e.ResourceID) + len(e.DomainUUID) + len(e.DomainName) + len(e.Permissions) + len(e.Topic)
}
