package policy

import "time"

// History bounds what is kept of a service's broadcasts. The oldest goes as soon as one bound is passed. A bound
// that is left out has its default; a History without any bound keeps nothing.
type History struct {
	// Messages is how many broadcasts are kept, at most 1000000. The default is 1000.
	Messages int `koanf:"messages" yaml:"messages,omitempty"`
	// Bytes is how many bytes they may take, at most 1073741824. The default is 4194304.
	Bytes int `koanf:"bytes" yaml:"bytes,omitempty"`
	// Age is how long a broadcast is kept, at most 24h. The default is 5m.
	Age time.Duration `koanf:"age" yaml:"age,omitempty"`
}

// The bounds of a History that names others only, and the greatest that one may have.
const (
	defaultMessages, maxMessages = 1000, 1_000_000
	defaultBytes, maxBytes       = 4 << 20, 1 << 30
	defaultAge, maxAge           = 5 * time.Minute, 24 * time.Hour
)

// Kept reports whether anything is kept.
func (h History) Kept() bool { return h != History{} }

// Bounds returns h with the default in place of each bound that is left out.
func (h History) Bounds() History {
	if h.Messages == 0 {
		h.Messages = defaultMessages
	}
	if h.Bytes == 0 {
		h.Bytes = defaultBytes
	}
	if h.Age == 0 {
		h.Age = defaultAge
	}
	return h
}

func (c *checker) history(h History) {
	if h.Messages < 0 || h.Messages > maxMessages {
		c.add("history.messages", "%d is not between 1 and %d", h.Messages, maxMessages)
	}
	if h.Bytes < 0 || h.Bytes > maxBytes {
		c.add("history.bytes", "%d is not between 1 and %d", h.Bytes, maxBytes)
	}
	if h.Age < 0 || h.Age > maxAge {
		c.add("history.age", "%s is not between 0s and %s", h.Age, maxAge)
	}
}
