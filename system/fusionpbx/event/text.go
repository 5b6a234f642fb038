package event

import (
	"encoding/json"
	"errors"
)

// Text is a string of a request. A whole number stands for its digits, since pages make some of them from numbers.
type Text string

var errText = errors.New("must be text")

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*t = Text(s)
		return nil
	}
	for _, c := range data {
		if c < '0' || c > '9' {
			return errText
		}
	}
	*t = Text(data)
	return nil
}
