package actors

import (
	"errors"
	"log/slog"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// decodes reports whether a message is an envelope within the limits. What is not is ignored (protocol 3.4).
func (c *connection) decodes(m *Received, depth, keys int) bool {
	err := m.decoded.Decode(m.Data, depth, keys)
	if err == nil {
		return true
	}
	c.deps.Counters.Dead(NotEnvelope)
	switch {
	case errors.Is(err, envelope.ErrDepth):
		c.refused(&refusals.Event{Cause: refusals.Depth, More: []any{"limit", depth}})
	case errors.Is(err, envelope.ErrKeys):
		c.refused(&refusals.Event{Cause: refusals.Keys, More: []any{"limit", keys}})
	default:
		c.log(slog.LevelDebug, "message ignored", slog.String("err", refusals.Clip(err.Error())))
	}
	return false
}
