package event

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// Listen has handle called, in the service's goroutine and in order, with each event that matches one of the filters
// and with the marks of gaps. The first one is a gap, also after a crash of the service: it must then take a
// snapshot of whatever it keeps. A service that is too slow gets a gap in place of the events that it missed. The name
// stands in logs. Events have the headers that keep is true for, and perhaps others; nil means all. See Needs.
func Listen(s service.Setup, name string, client *eventsocket.Client, filters []eventsocket.Filter, keep func(header string) bool, handle func(c service.Context, d eventsocket.Delivery)) {
	run := func(ctx context.Context, emit service.Emit) error {
		subscription, err := client.SubscribeTo(name, keep, filters...)
		if err != nil {
			return fmt.Errorf("subscribe to events: %w", err)
		}
		defer subscription.Close()
		for {
			delivery, err := subscription.Next(ctx)
			if err != nil {
				return fmt.Errorf("next event: %w", err)
			}
			if err := emit(delivery); err != nil {
				return err
			}
		}
	}
	s.Source("switch", run, func(c service.Context, delivery any) { handle(c, delivery.(eventsocket.Delivery)) })
}

// Needs returns a function for Listen that is true for the headers that make payloads of these keys, and for the named ones.
func Needs(keys []*Keys, headers ...string) func(header string) bool {
	headers = append(slices.Clone(headers), "Event-Name", "API-Command", "Event-Subclass")
	return func(header string) bool {
		for _, k := range keys {
			if _, _, ok := k.find(header); ok {
				return true
			}
		}
		return slices.ContainsFunc(headers, func(name string) bool { return strings.EqualFold(name, header) })
	}
}
