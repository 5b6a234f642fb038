package transport

import "syscall"

// nonBlocking says that a call to a socket may block, so each write goes through its net.Conn.
const nonBlocking = false

// writeNow is never called.
func writeNow(int, []byte) (int, error) { return 0, syscall.EWINDOWS }
