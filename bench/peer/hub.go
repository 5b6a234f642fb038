package peer

import (
	"encoding/hex"
	"net"
	"sync"
	"sync/atomic"

	"github.com/lxzan/gws"

	"strowger/bench/dialect"
)

// Hub is gws at its defaults with the library's own broadcaster and a protocol of one byte. It has
// nothing else that a router has.
func Hub(listener net.Listener) error {
	h := &hub{members: make(map[*gws.Conn]struct{}), callers: make(map[[dialect.HubID]byte]*gws.Conn)}
	return gws.NewServer(h, nil).RunListener(listener)
}

type hub struct {
	gws.BuiltinEventHandler
	ids atomic.Uint32

	mu      sync.RWMutex // protects following
	members map[*gws.Conn]struct{}
	callers map[[dialect.HubID]byte]*gws.Conn
	service *gws.Conn
}

const idKey = "id"

func (h *hub) OnClose(c *gws.Conn, _ error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, c)
	if id, ok := c.Session().Load(idKey); ok {
		delete(h.callers, id.([dialect.HubID]byte))
	}
}

func (h *hub) OnMessage(c *gws.Conn, message *gws.Message) {
	defer message.Close()
	payload := message.Bytes()
	if len(payload) == 0 {
		return
	}
	switch payload[0] {
	case dialect.HubSubscribe:
		h.mu.Lock()
		h.members[c] = struct{}{}
		h.mu.Unlock()
		_ = c.WriteMessage(gws.OpcodeText, payload) // the read loop ends if this failed
	case dialect.HubServe:
		h.mu.Lock()
		h.service = c
		h.mu.Unlock()
		_ = c.WriteMessage(gws.OpcodeText, payload)
	case dialect.HubEvent:
		h.broadcast(payload[1:])
	case dialect.HubRequest:
		h.ask(c, payload[1:])
	case dialect.HubReply:
		h.reply(payload[1:])
	case dialect.HubLocal:
		_ = c.WriteMessage(gws.OpcodeText, payload[1:])
	}
}

func (h *hub) broadcast(data []byte) {
	// The frame is the broadcaster's until the last write, the message is gws's again before that.
	b := gws.NewBroadcaster(gws.OpcodeText, append([]byte(nil), data...))
	defer b.Close()
	h.mu.RLock()
	defer h.mu.RUnlock()
	for c := range h.members {
		_ = b.Broadcast(c)
	}
}

func (h *hub) ask(c *gws.Conn, data []byte) {
	known, ok := c.Session().Load(idKey)
	if !ok {
		known = h.register(c)
	}
	id := known.([dialect.HubID]byte)
	h.mu.RLock()
	service := h.service
	h.mu.RUnlock()
	if service != nil {
		_ = service.Writev(gws.OpcodeText, []byte{dialect.HubRequest}, id[:], data)
	}
}

func (h *hub) register(c *gws.Conn) [dialect.HubID]byte {
	var id [dialect.HubID]byte
	n := h.ids.Add(1)
	hex.Encode(id[:], []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	c.Session().Store(idKey, id)
	h.mu.Lock()
	h.callers[id] = c
	h.mu.Unlock()
	return id
}

func (h *hub) reply(data []byte) {
	if len(data) < dialect.HubID {
		return
	}
	h.mu.RLock()
	caller := h.callers[[dialect.HubID]byte(data)]
	h.mu.RUnlock()
	if caller != nil {
		_ = caller.WriteMessage(gws.OpcodeText, data[dialect.HubID:])
	}
}
