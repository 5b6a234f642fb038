package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"runtime"

	"strowger/bench/peer"
)

// serve is this program as one of the peers, on a free port of the loopback, until it is killed.
func serve(args []string) error {
	if len(args) == 0 {
		return errors.New("serve: which peer?")
	}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var o peer.CentrifugeOptions
	flags.DurationVar(&o.WriteDelay, "write-delay", 0, "centrifuge: collect messages for `TIME` before a write")
	flags.IntVar(&o.MaxInFrame, "max-in-frame", 0, "centrifuge: `N` messages in a frame at most, -1 for no bound")
	flags.BoolVar(&o.OffReadLoop, "off-read-loop", false, "centrifuge: commands on goroutines that end")
	ballast := flags.Int("ballast", 0, "have `N` MiB of heap that are never used, so that garbage is collected at twice that at the earliest")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	unused := make([]byte, *ballast<<20)
	defer runtime.KeepAlive(unused)
	if args[0] == "nats" {
		return peer.NATS(listening)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve %s: %w", args[0], err)
	}
	listening(listener.Addr().String())
	switch args[0] {
	case "hub":
		return peer.Hub(listener)
	case "centrifuge":
		return peer.Centrifuge(listener, o)
	}
	return fmt.Errorf("serve: no peer has the name %s", args[0])
}

// listening says where a peer listens, in the words of strowger's log.
func listening(addr string) { fmt.Printf("{\"msg\":\"listening\",\"addr\":%q}\n", addr) }
