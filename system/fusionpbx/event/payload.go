package event

import (
	"strowger/actors/envelope"
	"strowger/system/fusionpbx/eventsocket"
)

// Payload is what a service forwards of one event. Its strings share the event's memory.
type Payload struct {
	name   string
	fields []Field
}

// Field is one key of a payload and its value.
type Field struct {
	Key string
	// Value is a string, or JSON if it was set by SetJSON.
	Value string
	json  bool
}

// usual is how many keys an event of a call has.
const usual = 24

// Payload returns the keys of the list that the event has, in the order of the event. If two headers make the
// same key, it stands where the first is and has the value of the last.
func (k *Keys) Payload(e *eventsocket.Event) Payload {
	names := newNames(e)
	p := Payload{name: names.event, fields: make([]Field, 0, min(usual, len(k.names)))}
	var at [maxKeys]uint8 // one more than the key's place in fields; 0: not there yet
	for header, value := range e.All() {
		i, alias, ok := k.find(header)
		if !ok {
			continue
		}
		key := k.names[i]
		if !alias {
			value = names.replace(key, value)
		}
		if key == eventName {
			p.name = value
		}
		if place := at[i]; place > 0 {
			p.fields[place-1].Value = value
			continue
		}
		p.fields = append(p.fields, Field{Key: key, Value: value})
		at[i] = uint8(len(p.fields))
	}
	return p
}

// Name returns the name of the event: its subclass if it has one, else the api command that it is about, else the
// name that the switch gave it.
func (p *Payload) Name() string { return p.name }

// Get returns the value of a key, or "" if it is not there.
func (p *Payload) Get(key string) string {
	value, _ := p.Lookup(key)
	return value
}

// Lookup is Get, and reports whether the key is there.
func (p *Payload) Lookup(key string) (string, bool) {
	for i := range p.fields {
		if p.fields[i].Key == key {
			return p.fields[i].Value, true
		}
	}
	return "", false
}

// Fields returns the keys and values in order. The caller must not change them.
func (p *Payload) Fields() []Field { return p.fields }

// Set gives a key a string as its value. A key that is not there is added at the end.
func (p *Payload) Set(key, value string) { p.set(Field{Key: key, Value: value}) }

// SetJSON is Set for a value that is no string. The caller must make sure that it is valid JSON.
func (p *Payload) SetJSON(key string, value []byte) {
	p.set(Field{Key: key, Value: string(value), json: true})
}

func (p *Payload) set(field Field) {
	for i := range p.fields {
		if p.fields[i].Key == field.Key {
			p.fields[i] = field
			return
		}
	}
	p.fields = append(p.fields, field)
}

// AppendJSON appends the payload as a JSON object.
func (p *Payload) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range p.fields {
		field := &p.fields[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), field.Key...), '"', ':')
		if field.json {
			dst = append(dst, field.Value...)
			continue
		}
		dst = envelope.AppendString(dst, field.Value)
	}
	return append(dst, '}')
}

// JSON returns the payload as JSON that is ready for service.Context.Broadcast.
func (p *Payload) JSON() envelope.Raw {
	size := 2
	for i := range p.fields {
		size += len(p.fields[i].Key) + len(p.fields[i].Value) + 8
	}
	return p.AppendJSON(make([]byte, 0, size))
}
