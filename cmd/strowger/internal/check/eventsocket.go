package check

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"

	"strowger/system/fusionpbx/eventsocket"
)

// eventSocket is about the switch.
func (c *checker) eventSocket(r *report) {
	s := &c.Config.Services
	if !c.fusionPBX() {
		return
	}
	if s.ActiveCalls != inside && s.ActiveConferences != inside && s.OperatorPanel != inside {
		r.note(EventSocket, "", "no service that runs inside needs the event socket")
		return
	}
	at, file := &c.Config.FusionPBX.EventSocket, c.Config.FusionPBX.File
	address := net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	status, version, err := c.askSwitch(address, string(at.Password))
	if err == nil {
		r.ok(EventSocket, "the event socket at %s takes the password; status: %s; version: %s", address, status, version)
		return
	}
	mend := "systemctl start freeswitch, or correct switch.event_socket.host and .port in " + file
	switch {
	case errors.Is(err, eventsocket.ErrPassword):
		mend = "set switch.event_socket.password in " + file + " to the password in FreeSWITCH's event_socket.conf.xml, then: systemctl restart websockets"
	case errors.Is(err, eventsocket.ErrRejected):
		mend = "allow this machine in apply-inbound-acl of FreeSWITCH's event_socket.conf.xml, then: fs_cli -x 'reload mod_event_socket'"
	case late(err):
		mend = "systemctl restart freeswitch; is a firewall in between? --timeout waits longer"
	}
	r.fail(EventSocket, mend, "the event socket at %s of %s: %v", address, file, err)
}

// askSwitch logs in and asks two questions.
func (c *checker) askSwitch(address, password string) (status, version string, err error) {
	ctx, cancel := c.deadline()
	defer cancel()
	first := make(chan error, 1)
	var once sync.Once
	client, err := eventsocket.New(eventsocket.Options{
		Address: address, Password: password, DialTimeout: c.Timeout, LoginTimeout: c.Timeout,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			return c.Machine.Dial(ctx, "tcp", address)
		},
		Changed: func(_ bool, err error) { once.Do(func() { first <- err }) },
	})
	if err != nil {
		return "", "", err
	}
	var running sync.WaitGroup
	running.Go(func() { _ = client.Run(ctx) })
	defer running.Wait()
	defer cancel()
	select {
	case err = <-first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return "", "", err
	}
	said, err := client.Do(ctx, eventsocket.API("status"))
	if err != nil {
		return "", "", err
	}
	if said.Failed() {
		return "", "", errors.New("the switch does not answer status: " + firstLine(said.Text+said.Body))
	}
	named, err := client.Do(ctx, eventsocket.API("version"))
	if err != nil {
		return "", "", err
	}
	return firstLine(said.Body), strings.TrimSpace(firstLine(named.Body)), nil
}
