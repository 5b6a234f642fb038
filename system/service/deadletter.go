package service

import (
	"fmt"
	"log/slog"
	"time"
)

// DeadLetter is what a service was doing when it crashed.
type DeadLetter struct {
	Service string
	// Task is what ran: request, timer, event, work, setup, reload, join, stop, or source and its name.
	Task string
	// Topic and Payload are those of a request, and Subscriber is the id of who asked.
	Topic      string
	Payload    []byte
	Subscriber string
	Reason     any
	Stack      []byte
	At         time.Time
}

// LogValue leaves the payload and the stack out.
func (d *DeadLetter) LogValue() slog.Value {
	return slog.GroupValue(slog.String("service", d.Service), slog.String("task", d.Task),
		slog.String("topic", d.Topic), slog.Int("payload_bytes", len(d.Payload)), slog.String("err", fmt.Sprint(d.Reason)))
}
