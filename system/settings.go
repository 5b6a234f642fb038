package system

import (
	"strconv"

	"strowger/actors"
	"strowger/config"
	"strowger/transport"
)

// apply makes the settings that a reload may change those of cfg. On error nothing is changed.
func (s *System) apply(cfg *config.Config) error {
	policies, err := s.governors.policies(cfg)
	if err != nil {
		return err
	}
	l, k, r := &cfg.Limits, &cfg.Keepalive, &cfg.Routing
	s.limits.Store(&transport.Limits{
		Connections:            l.Connections,
		ServiceReserve:         l.ServiceReserve,
		Unauthenticated:        l.Unauthenticated,
		Handshakes:             l.Handshakes,
		HeaderBytes:            int(l.HeaderBytes),
		HeaderTimeout:          l.HeaderTimeout,
		UnauthenticatedBytes:   int64(l.UnauthenticatedBytes),
		UnauthenticatedTotal:   int64(l.UnauthenticatedTotal),
		ClientBytes:            int64(l.ClientBytes),
		ServiceBytes:           int64(l.ServiceBytes),
		InboundMessages:        l.InboundMessages,
		ServiceInboundMessages: l.ServiceInboundMessages,
		OutboundMessages:       l.OutboundMessages,
		OutboundBytes:          int64(l.OutboundBytes),
		WriteTimeout:           l.WriteTimeout,
		PingInterval:           k.PingInterval,
		IdleTimeout:            k.IdleTimeout,
		PingerTimeout:          k.PingerTimeout,
		TCPKeepAlive:           k.TCP,
		Origins:                cfg.Listen.Origins,
	})
	// The key's values are "silent", "404" and "503"; silence is no number.
	unknown, _ := strconv.Atoi(r.UnknownService)
	s.settings.Store(&actors.Settings{
		Depth:                  l.Depth,
		AuthenticationTimeout:  l.AuthenticationTimeout,
		AuthenticationAttempts: l.AuthenticationAttempts,
		RequestTimeout:         r.RequestTimeout,
		PendingRequests:        l.PendingRequests,
		UnknownService:         unknown,
		UnsolicitedReplies:     r.UnsolicitedReplies,
		RepliesWithoutResource: r.RepliesWithoutResource,
		Instances:              instances(r.Instances),
		Reclaim:                cfg.Tokens.Reclaim,
		ReclaimCount:           cfg.Tokens.ReclaimCount,
		RefusalKinds:           cfg.Log.RefusalKinds,
		RefusalLines:           cfg.Log.RefusalLines,
		Policies:               policies,
	})
	s.running.Store(cfg)
	return nil
}

func instances(setting string) actors.Instances {
	switch setting {
	case "balanced":
		return actors.Balanced
	case "failover":
		return actors.Failover
	}
	return actors.All
}

func proxyProtocol(setting string) transport.ProxyProtocol {
	switch setting {
	case "optional":
		return transport.OptionalProxyHeader
	case "required":
		return transport.RequiredProxyHeader
	}
	return transport.NoProxyHeader
}
