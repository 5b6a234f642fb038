package transport

import (
	"syscall"
	"unsafe"
)

// nonBlocking says that the descriptors of connections do not block.
const nonBlocking = true

// The calls below never wait, for their descriptors are non-blocking. So the runtime need not know of
// them: it would watch them, and hand the processor on and take it back around many. That is a sixth
// of the CPU of a request and its reply.

// readNow returns how many bytes were read; EAGAIN means that there are none.
func readNow(fd int, p []byte) (int, error) {
	return call(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
}

// writeNow returns how many bytes there was room for; EAGAIN means none.
func writeNow(fd int, p []byte) (int, error) {
	return call(syscall.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
}

// eventsNow returns how many events an epoll instance has at once.
func eventsNow(fd int, events []syscall.EpollEvent) (int, error) {
	return call(syscall.SYS_EPOLL_PWAIT, fd, unsafe.Pointer(unsafe.SliceData(events)), len(events))
}

// call makes a system call whose last three arguments are zero, until no signal interrupts it.
func call(number uintptr, fd int, p unsafe.Pointer, n int) (int, error) {
	for {
		done, _, errno := syscall.RawSyscall6(number, uintptr(fd), uintptr(p), uintptr(n), 0, 0, 0)
		switch errno {
		case 0:
			return int(done), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
