package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

// CentrifugeOptions are what is worth trying for the best figures.
type CentrifugeOptions struct {
	// WriteDelay is how long the server collects messages for a connection before it writes them.
	WriteDelay time.Duration
	// MaxInFrame is how many messages one frame may carry; 0 is the library's default, -1 no limit.
	MaxInFrame int
	// OffReadLoop handles commands on goroutines that end, for small stacks.
	OffReadLoop bool
}

// Centrifuge serves a node of the library, in memory, over its WebSocket handler with the JSON
// protocol. It believes every client.
func Centrifuge(listener net.Listener, o CentrifugeOptions) error {
	node, err := centrifuge.New(centrifuge.Config{
		// The slow ones are to be cut off where strowger cuts them off.
		ClientQueueMaxSize: 4 << 20,
	})
	if err != nil {
		return fmt.Errorf("make node: %w", err)
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return connectReply(e.Data, o)
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			done(centrifuge.PublishReply{}, nil)
		})
		client.OnRPC(func(e centrifuge.RPCEvent, done centrifuge.RPCCallback) {
			done(centrifuge.RPCReply{Data: e.Data}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return fmt.Errorf("run node: %w", err)
	}
	handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:                func(*http.Request) bool { return true },
		ReadBufferSize:             512,
		UseWriteBufferPool:         true,
		ProcessCommandsOffReadLoop: o.OffReadLoop,
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

func connectReply(data []byte, o CentrifugeOptions) (centrifuge.ConnectReply, error) {
	var wish struct{ Topics []string }
	if err := json.Unmarshal(data, &wish); err != nil {
		return centrifuge.ConnectReply{}, centrifuge.DisconnectBadRequest
	}
	reply := centrifuge.ConnectReply{
		Credentials:        &centrifuge.Credentials{UserID: "bench"},
		WriteDelay:         o.WriteDelay,
		MaxMessagesInFrame: o.MaxInFrame,
	}
	if len(wish.Topics) > 0 {
		reply.Subscriptions = make(map[string]centrifuge.SubscribeOptions, len(wish.Topics))
	}
	for _, topic := range wish.Topics {
		reply.Subscriptions[topic] = centrifuge.SubscribeOptions{}
	}
	return reply, nil
}
