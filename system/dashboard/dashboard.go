// Package dashboard is the service dashboard.system.information: the load of the processor and of
// the network, for the widgets of FusionPBX's dashboard.
package dashboard

import (
	"time"

	"strowger/config/policy"
	"strowger/system/service"
)

// Name is what clients call the service.
const Name = policy.SystemDashboard

// The topics, of broadcasts and of requests alike. Each payload has one key of the same name.
const (
	cpuTopic     = "cpu_status"
	networkTopic = "network_status"
)

// Options says what is measured and how often. The zero value serves.
type Options struct {
	// CPUInterval and NetworkInterval are the times between two broadcasts. 0 means 3 s.
	CPUInterval     time.Duration
	NetworkInterval time.Duration
	// Interface is the network interface that counts. Empty means the one of the default route,
	// looked up for every sample.
	Interface string
	// Sampler reads the counters. Nil means those of this machine.
	Sampler Sampler
}

// New returns the service. It broadcasts cpu_status and network_status, each for the first time
// after one interval, and answers requests of these topics with the latest values; a request that
// comes before there are any waits half a second for a sample of its own.
func New(o Options) *service.Service {
	o = o.withDefaults()
	return &service.Service{Name: Name, Setup: o.setup}
}

func (o Options) withDefaults() Options {
	const interval = 3 * time.Second
	if o.CPUInterval == 0 {
		o.CPUInterval = interval
	}
	if o.NetworkInterval == 0 {
		o.NetworkInterval = interval
	}
	if o.Sampler == nil {
		o.Sampler = machine{o.Interface}
	}
	return o
}

func (o Options) setup(s service.Setup) error {
	newMeter(cpuTopic, o.Sampler.CPU, load).register(s, o.CPUInterval)
	newMeter(networkTopic, o.Sampler.Network, rate).register(s, o.NetworkInterval)
	return nil
}
