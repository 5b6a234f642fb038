package eventsocket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// TestAlone needs no connection of the client's own: a switch that is silent on one connection answers on another.
func TestAlone(t *testing.T) {
	tests := map[string]struct {
		faults switchsim.Faults
		ctx    func(context.Context) (context.Context, context.CancelFunc)
		want   error
	}{
		"answered": {},
		"refused":  {faults: switchsim.Faults{RefuseAuth: true}, want: eventsocket.ErrNotConnected},
		"given up": {faults: switchsim.Faults{Mute: true}, want: context.Canceled, ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sim := switchsim.New(&switchsim.Recording{}, switchsim.Options{Faults: test.faults})
			defer sim.Close()
			client, err := eventsocket.New(eventsocket.Options{Password: "ClueCon", Dial: sim.Dial})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if test.ctx != nil {
				var cancel context.CancelFunc
				ctx, cancel = test.ctx(ctx)
				defer cancel()
			}
			reply, err := client.Alone(ctx, eventsocket.API("version"))
			if !errors.Is(err, test.want) || (err == nil) != (reply.Body != "") {
				t.Errorf("got %q, %v, want %v", reply.Body, err, test.want)
			}
		})
	}
}

func TestAloneBadCommand(t *testing.T) {
	client, err := eventsocket.New(eventsocket.Options{Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Alone(t.Context(), eventsocket.Command{}); !errors.Is(err, eventsocket.ErrArgument) {
		t.Errorf("error is %v", err)
	}
}

// TestAloneWithoutLogin connects to what never asks for the password. The error says that the command was not sent.
func TestAloneWithoutLogin(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	ctx, cancel := context.WithCancel(context.Background())
	client, err := eventsocket.New(eventsocket.Options{Password: "x", Dial: func(context.Context, string) (net.Conn, error) {
		cancel() // the caller gives up while the login is on its way
		return here, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Alone(ctx, eventsocket.API("version")); !errors.Is(err, eventsocket.ErrNotConnected) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAloneTooLate has the time of the caller end at the moment at which the switch accepts the password. The error says
// that the command was not sent. It is tried often, because the end of the connection may be noticed first.
func TestAloneTooLate(t *testing.T) {
	for range 50 {
		sim := switchsim.New(&switchsim.Recording{}, switchsim.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		client, err := eventsocket.New(eventsocket.Options{Password: "ClueCon", Dial: func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := sim.Dial(ctx, address)
			return &lateConn{conn, cancel}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Alone(ctx, eventsocket.API("version")); !errors.Is(err, eventsocket.ErrNotConnected) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		sim.Close()
	}
}

// lateConn calls accepted when the switch accepts the password.
type lateConn struct {
	net.Conn
	accepted func()
}

func (c *lateConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.Contains(b[:n], []byte("+OK accepted")) {
		c.accepted()
	}
	return n, err
}
