package envelope

import (
	"strings"
	"testing"
)

func TestSizeIsAnUpperBound(t *testing.T) {
	full := new(Envelope)
	for _, k := range envelopeKeys {
		*k.raw(full) = Raw(`"0123456789"`)
	}
	long := &Envelope{Payload: Raw(`"` + strings.Repeat("x", 100_000) + `"`)}
	for name, e := range map[string]*Envelope{"defaults": {}, "full": full, "long": long} {
		if n := len(e.Append(nil)); n > e.Size() {
			t.Errorf("%s: %d bytes are written, the bound is %d", name, n, e.Size())
		}
	}
}
