package dashboard

import (
	"context"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/net"
)

// Sampler reads counters that only grow. Its methods may block and may be called at the same time.
type Sampler interface {
	// CPU returns the times of all cores, in their order.
	CPU(ctx context.Context) ([]Core, error)
	// Network returns what passed the interface; one that does not exist is no error.
	Network(ctx context.Context) (Traffic, error)
}

// Core is how long one core has run since the machine started, in seconds.
type Core struct {
	Name        string
	Total, Idle float64
}

// Traffic is how many bytes have passed an interface since it came up. Its name is empty if it does
// not exist.
type Traffic struct {
	At             time.Time
	Interface      string
	Received, Sent uint64
}

// machine samples this machine.
type machine struct {
	name string // of the interface; empty means that of the default route
}

func (m machine) CPU(ctx context.Context) ([]Core, error) {
	times, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("read processor times: %w", err)
	}
	cores := make([]Core, len(times))
	for i, t := range times {
		// All fields of the line, also guest times that are counted twice: so does the original.
		total := t.User + t.Nice + t.System + t.Idle + t.Iowait + t.Irq + t.Softirq + t.Steal + t.Guest + t.GuestNice
		cores[i] = Core{Name: t.CPU, Total: total, Idle: t.Idle}
	}
	return cores, nil
}

func (m machine) Network(ctx context.Context) (Traffic, error) {
	name := m.name
	if name == "" {
		var err error
		if name, err = defaultInterface(routes); err != nil {
			return Traffic{}, err
		}
	}
	counters, err := net.IOCountersWithContext(ctx, true)
	if err != nil {
		return Traffic{}, fmt.Errorf("read network counters: %w", err)
	}
	for _, c := range counters {
		if c.Name == name {
			return Traffic{At: time.Now(), Interface: name, Received: c.BytesRecv, Sent: c.BytesSent}, nil
		}
	}
	return Traffic{At: time.Now()}, nil
}
