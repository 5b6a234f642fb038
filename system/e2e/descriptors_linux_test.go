package e2e

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strowger/client"
	"strowger/system/token"
	"strowger/transport/frame"
)

// mayOpen lets the running daemon open no more files, or as many as before.
func (q *quiet) mayOpen(files bool) {
	q.t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(q.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		q.t.Fatal(err)
	}
	limit.Cur = 0
	if files {
		limit.Cur = limit.Max
	}
	if err := unix.Prlimit(q.cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		q.t.Fatal(err)
	}
}

// logged reads the log up to a line of this cause.
func (q *quiet) logged(cause string) string {
	q.t.Helper()
	if err := q.stderr.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		q.t.Fatal(err)
	}
	for {
		if line := q.line(); strings.Contains(line, `"cause":"`+cause+`"`) {
			return line
		}
	}
}

// A daemon that has no descriptor for the next connection says so and takes it in once it has one.
func TestNoDescriptorAtAccept(t *testing.T) {
	q := startQuiet(t)
	q.configure("a.example")
	q.reload("a.example")
	q.mayOpen(false)
	conn, err := net.Dial("tcp", q.addr) // the kernel takes it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	line := q.logged("descriptors")
	for _, want := range []string{`"level":"ERROR"`, "no file descriptor is left", `"setting":"LimitNOFILE, limits.connections"`, "too many open files"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	q.mayOpen(true)
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the connection that waited: %v", err)
	}
	_ = answer.Body.Close()
	if err := q.login("a.example"); err != nil {
		t.Errorf("the next connection: %v", err)
	}
	q.stops()
}

// A good token is good after a time in which its file could not be opened.
func TestNoDescriptorForAToken(t *testing.T) {
	q := startQuiet(t)
	q.configure("a.example")
	q.reload("a.example")
	made, _, err := token.Create(q.tokenDir, token.Spec{Kind: token.User}, token.JSON)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(files bool) error {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		source := func(context.Context) (client.Token, error) {
			q.mayOpen(files)
			return client.Token{Name: made.Name, Hash: made.Hash}, nil
		}
		c, err := client.Dial(ctx, "ws://"+q.addr+"/", source, client.Options{
			Header: http.Header{"Origin": {"https://a.example"}}, Reconnect: client.Reconnect{Disabled: true}})
		if err != nil {
			return err
		}
		return c.Close()
	}
	err = dial(false)
	if closed, ok := errors.AsType[*client.CloseError](err); !ok || closed.Code != uint16(frame.CloseTryLater) {
		t.Errorf("without a descriptor: %v, want a close with 1013", err)
	}
	if line := q.logged("descriptors"); !strings.Contains(line, "too many open files") {
		t.Errorf("got %s", line)
	}
	q.mayOpen(true)
	if err := dial(true); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	q.stops()
}
