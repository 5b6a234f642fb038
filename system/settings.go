package system

import (
	"net/http"
	"strconv"
	"strings"

	"strowger/actors"
	"strowger/clients/js"
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
	var file func(*http.Request) *http.Response
	if cfg.Listen.Client {
		file = js.Answer
	}
	s.limits.Store(&transport.Limits{
		Connections:            l.Connections,
		ServiceReserve:         l.ServiceReserve,
		Unauthenticated:        l.Unauthenticated,
		PerAddress:             l.PerAddress,
		Fragments:              l.Fragments,
		Handshakes:             l.Handshakes,
		HeaderBytes:            int(l.HeaderBytes),
		HeaderTimeout:          l.HeaderTimeout,
		UnauthenticatedBytes:   int64(l.UnauthenticatedBytes),
		UnauthenticatedTotal:   withinMemory(int64(l.UnauthenticatedTotal), 16),
		ClientBytes:            int64(l.ClientBytes),
		ServiceBytes:           int64(l.ServiceBytes),
		InboundMessages:        l.InboundMessages,
		ServiceInboundMessages: l.ServiceInboundMessages,
		MessageRate:            l.MessageRate,
		ByteRate:               int64(l.ByteRate),
		InboundTotal:           partOfMemory(int64(l.InboundTotal), 16, inboundDefault),
		OutboundMessages:       l.OutboundMessages,
		OutboundBytes:          int64(l.OutboundBytes),
		OutboundTotal:          partOfMemory(int64(l.OutboundTotal), 4, outboundDefault),
		OutboundRate:           int64(l.OutboundRate),
		WriteTimeout:           l.WriteTimeout,
		PingInterval:           k.PingInterval,
		IdleTimeout:            k.IdleTimeout,
		PingerTimeout:          k.PingerTimeout,
		TCPKeepAlive:           k.TCP,
		Origins:                cfg.Listen.Origins,
		File:                   file,
		Compression:            cfg.Listen.Compression,
		CompressionLevel:       cfg.Listen.CompressionLevel,
		CompressionThreshold:   int(cfg.Listen.CompressionThreshold),
		HTTP:                   cfg.Listen.HTTP,
		HTTPBatch:              cfg.HTTP.Batch,
		HTTPBodyTimeout:        cfg.HTTP.BodyTimeout,
		HTTPRate:               cfg.HTTP.Rate,
		IdempotencyLifetime:    cfg.HTTP.IdempotencyLifetime,
		IdempotencyKeys:        cfg.HTTP.IdempotencyKeys,
		IdempotencyBytes:       withinMemory(int64(cfg.HTTP.IdempotencyBytes), 16),
	})
	// The key's values are "silent", "404" and "503"; silence is no number.
	unknown, _ := strconv.Atoi(r.UnknownService)
	s.settings.Store(&actors.Settings{
		Depth:                  l.Depth,
		Keys:                   l.Keys,
		AuthenticationTimeout:  l.AuthenticationTimeout,
		AuthenticationAttempts: l.AuthenticationAttempts,
		RequestTimeout:         r.RequestTimeout,
		PendingRequests:        l.PendingRequests,
		ServiceRequests:        l.ServiceRequests,
		PendingBytes:           int64(l.PendingBytes),
		PendingTotal:           partOfMemory(int64(l.PendingTotal), 8, pendingDefault),
		HistoryBytes:           withinMemory(int64(l.HistoryBytes), 16),
		FilterValues:           l.FilterValues,
		PresencePeople:         l.PresencePeople,
		PresenceInterval:       r.PresenceInterval,
		UnknownService:         unknown,
		UnsolicitedReplies:     r.UnsolicitedReplies,
		RepliesWithoutResource: r.RepliesWithoutResource,
		Instances:              instances(r.Instances),
		Reclaim:                cfg.Tokens.Reclaim,
		ReclaimCount:           cfg.Tokens.ReclaimCount,
		ResumeWait:             cfg.Tokens.ResumeWait,
		ResumeCount:            cfg.Tokens.ResumeCount,
		ResumeMessages:         cfg.Tokens.ResumeMessages,
		ResumeBytes:            int64(cfg.Tokens.ResumeBytes),
		RefusalKinds:           cfg.Log.RefusalKinds,
		RefusalLines:           cfg.Log.RefusalLines,
		Policies:               policies,
		AnswerUnanswered:       r.Unanswered == "504",
		EjectAfter:             r.EjectAfter,
		EjectSilence:           r.EjectSilence,
		EjectPause:             r.EjectPause,
		Health:                 healthTopics(r.Health),
		HealthInterval:         r.HealthInterval,
		NodeBytes:              int(cfg.Cluster.InboundBytes),
		NodeVisitors:           cfg.Cluster.Visitors,
		NodeWills:              cfg.Cluster.Wills,
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

// healthTopics returns the topic of the health requests to each service that gets some.
func healthTopics(setting []string) map[string]string {
	var topics map[string]string
	for _, item := range setting {
		if topics == nil {
			topics = make(map[string]string, len(setting))
		}
		name, topic, _ := strings.Cut(item, " ")
		topics[name] = topic
	}
	return topics
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
