package system

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"strowger/actors"
	"strowger/config"
	"strowger/system/internal/cluster"
	"strowger/system/internal/cluster/natsbus"
	"strowger/system/internal/introspect"
)

// clustering is this router's part in a cluster. A nil one is a router that is alone.
type clustering struct {
	bus   *natsbus.Bus
	links *cluster.Links
	name  string // of the cluster
	node  string // what the operator calls this one
	wait  time.Duration
	joins sync.WaitGroup
	once  sync.Once // for leave

	joining context.Context // ends when the node is to leave
	hurry   context.CancelFunc
}

const (
	// leaving is how long a node has to say that it leaves.
	leaving = 2 * time.Second
	// succession is how long a process that has taken over waits for the old one's address.
	succession = 30 * time.Second
	// longestVersion and longestNode bound what other nodes are told of this one, in bytes.
	longestVersion = 255
	longestNode    = 64
)

// newClustering returns this router's part in the cluster that the settings name, nil if they name none.
func (s *System) newClustering() (*clustering, error) {
	settings := &s.cfg.Cluster
	if !settings.On() {
		return nil, nil //nolint:nilnil // a router that is alone is no error
	}
	node, err := NodeName(s.cfg)
	if err != nil {
		return nil, err
	}
	bus, err := natsbus.New(settings, node, s.log)
	if err != nil {
		return nil, err
	}
	links, err := cluster.New(cluster.Options{Conn: bus, Cluster: settings.Name, Name: node, Version: s.build.Version[:min(len(s.build.Version), longestVersion)],
		Deps: s.deps, Log: s.log, Clock: s.deps.Clock, QueueBytes: func() int64 { return int64(settings.QueueBytes) }, MaxMessage: s.longestMessage,
		Offered: settings.Offered, Watched: settings.Watched, OnChange: s.services.changed,
		Redemptions: s.redemptions, Redeemed: s.redeemedElsewhere})
	if err != nil {
		return nil, err
	}
	c := &clustering{bus: bus, links: links, name: settings.Name, node: node, wait: settings.StartWait}
	c.joining, c.hurry = context.WithCancel(context.Background())
	s.deps.Cluster = links
	return c, nil
}

// CheckClusterFiles returns what is wrong with one of the files that cfg names, with the eyes of a user.
func CheckClusterFiles(cfg *config.Cluster, uid int) error {
	return natsbus.CheckFiles(cfg, uid) //nolint:wrapcheck // it names the setting and the file
}

// NodeName returns what other nodes call a router with these settings: cluster.node or the name of the machine. It is
// empty if the router is alone.
func NodeName(cfg *config.Config) (string, error) {
	if !cfg.Cluster.On() {
		return "", nil
	}
	if cfg.Cluster.Node != "" {
		return cfg.Cluster.Node, nil
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "", fmt.Errorf("cluster.node: is empty, and this machine has no name (%v)", err) //nolint:errorlint // it may be nil
	}
	return name[:min(len(name), longestNode)], nil
}

// longestMessage is how long a message of another node may be: as long as those of peers, and what the router adds to
// them.
func (s *System) longestMessage() int64 {
	const added = 4 << 10
	l := s.limits.Load()
	return max(l.ClientBytes, l.ServiceBytes) + added
}

// open opens the bus, unless this process takes over from another one, whose address it is to have.
func (c *clustering) open(heir bool) error {
	if c == nil || heir {
		return nil
	}
	if err := c.bus.Open(0); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// join links this node to the others. It returns when it knows what they offer, or after cluster.start_wait.
func (c *clustering) join(way actors.RouterRef) error {
	if err := c.links.Start(way); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	ctx, cancel := context.WithTimeout(c.joining, c.wait)
	defer cancel()
	_ = c.links.Settled(ctx) // the nodes that are late are linked when they come
	return nil
}

// succeed joins the cluster in the place of the process that this one has taken over from. That takes as long as the
// other one needs to give its address up, so it goes on beside.
func (c *clustering) succeed(s *System) {
	if c == nil {
		return
	}
	c.joins.Go(func() {
		err := c.bus.Open(succession)
		if err == nil {
			err = c.join(s.way)
		}
		if err != nil && c.joining.Err() == nil {
			c.links.Alone()
			s.log.Error("this node cannot take the old process's place in the cluster; it goes on alone until it is restarted", "err", err)
		}
	})
}

// handDown says to the other nodes that a process takes this one's place.
func (c *clustering) handDown() {
	if c != nil {
		c.links.HandDown()
	}
}

// leave says to the other nodes that this one leaves. Later calls do nothing, and wait.
func (c *clustering) leave(ctx context.Context) {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaving)
	defer cancel()
	c.once.Do(func() {
		c.hurry()
		c.bus.Abort()
		c.joins.Wait()
		c.links.Stop(ctx)
	})
}

// Cluster is for admin.Source and console.Source.
func (s source) Cluster() introspect.Cluster {
	if !s.made() || s.cluster == nil {
		return introspect.Cluster{Nodes: []introspect.ClusterNode{}}
	}
	c := s.cluster
	bus := c.bus.Status()
	all := introspect.Cluster{Clustered: true, Name: c.name, Node: c.node,
		Bus: &introspect.Bus{Connected: bus.Connected, Since: bus.Since.UTC(), Server: bus.Server, Listen: bus.Listen, Routes: bus.Routes, Reason: bus.Err}}
	for _, n := range c.links.Nodes() {
		all.Nodes = append(all.Nodes, introspect.ClusterNode{Name: n.Name, ID: n.ID, Version: n.Version, Protocol: n.Protocol,
			State: string(n.State), Reason: n.Reason, HeartbeatMS: n.Heartbeat.Milliseconds(), Services: clusterServices(n.Offered), Watches: texts(n.Watched), Singletons: clusterSingletons(n.Singletons),
			QueuedBytes: n.QueueBytes, UnreadBytes: n.Unread, Unacknowledged: n.Unacknowledged,
			Sent: n.ParcelsSent, Received: n.ParcelsReceived, Dropped: n.ParcelsDropped, SentBytes: n.BytesSent, ReceivedBytes: n.BytesReceived,
			Resets: n.Resets, Malformed: n.Malformed})
	}
	return all
}

// texts makes an empty list of nil.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// clusterSingletons returns how a node stands to singletons, by name.
func clusterSingletons(all map[string]cluster.Stance) []introspect.ClusterSingleton {
	list := make([]introspect.ClusterSingleton, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, introspect.ClusterSingleton{Name: name, State: string(all[name])})
	}
	return list
}

// clusterServices counts the instances of each name.
func clusterServices(offered []actors.Offered) []introspect.ClusterService {
	list := []introspect.ClusterService{}
	slices.SortStableFunc(offered, func(a, b actors.Offered) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range offered {
		if len(list) == 0 || list[len(list)-1].Name != o.Name {
			list = append(list, introspect.ClusterService{Name: o.Name})
		}
		last := &list[len(list)-1]
		last.Instances++
		last.Inside = last.Inside || o.Inside
		if o.Leaving {
			last.Leaving++
		}
	}
	return list
}

// clusterNotes returns what is amiss with the cluster.
func (s *System) clusterNotes() []introspect.Problem {
	if s.cluster == nil {
		return nil
	}
	bus := s.cluster.bus.Status()
	switch {
	case bus.Connected && bus.Err == "":
		return nil
	case bus.Connected:
		return []introspect.Problem{{Part: "cluster", Reason: "the bus refuses what this node does, so it may be alone: " + bus.Err}}
	case bus.Err == "":
		return []introspect.Problem{{Part: "cluster", Reason: "the bus is not connected yet; this node goes on alone"}}
	}
	return []introspect.Problem{{Part: "cluster", Reason: "the bus is away, and this node goes on alone: " + bus.Err}}
}

// clusterCounts returns the numbers of the cluster, nil if there is none.
func (s *System) clusterCounts() *introspect.ClusterCounts {
	if s.cluster == nil {
		return nil
	}
	bus, c := s.cluster.bus.Status(), s.cluster.links.Counts()
	counts := &introspect.ClusterCounts{BusUp: bus.Connected, BusDisconnects: bus.Disconnects, BusDropped: bus.Dropped,
		Nodes: int64(c.Nodes), Linked: int64(c.Linked), QueuedBytes: c.QueueBytes, Met: int64(c.Met), Gone: int64(c.Gone), Refused: int64(c.Refused + c.TooMany),
		Sent: int64(c.ParcelsSent), Received: int64(c.ParcelsReceived), Dropped: int64(c.ParcelsDropped), Gaps: int64(c.Gaps), Resets: int64(c.Resets),
		QueueFull: int64(c.QueueFull), InboxFull: int64(c.InboxFull), Malformed: int64(c.Malformed), PublishErrors: int64(c.PublishErrors), Lag: make(map[string]uint64)}
	counts.Visitors, counts.TooManyVisits, counts.Wills = s.deps.Counters.Visitors.Load(), s.deps.Counters.TooManyVisits.Load(), s.deps.Counters.Wills.Load()
	counts.LossesTold = s.deps.Counters.LossesTold.Load()
	counts.Singletons, counts.Taken, counts.Yielded = int64(len(s.services.own())), int64(c.Taken), int64(c.Yielded)
	counts.Messages.Sent, counts.Messages.Received = int64(c.MessagesSent), int64(c.MessagesReceived)
	counts.Bytes.Sent, counts.Bytes.Received = int64(c.BytesSent), int64(c.BytesReceived)
	for _, n := range s.cluster.links.Nodes() {
		if n.State != cluster.Self {
			counts.Lag[n.Name] += n.Unacknowledged
		}
	}
	return counts
}
