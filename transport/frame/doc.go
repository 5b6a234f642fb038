// Package frame is what the router knows of WebSocket frames (RFC 6455): opcodes, the frames that a server
// sends, and the codes that it closes connections with. It imports nothing of strowger and holds no state.
package frame
