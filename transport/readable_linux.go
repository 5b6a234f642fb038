package transport

import "golang.org/x/sys/unix"

// readableKnown says that readableNow knows.
const readableKnown = true

// readableNow reports whether a descriptor has something to read: a socket that listens a connection to accept, an epoll
// instance an event.
func readableNow(fd int) bool {
	fds := [...]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
}
