package check

import (
	"cmp"
	"net"
	"net/url"
	"strings"
	"sync"

	"strowger/config"
	"strowger/system"
)

// cluster is about the other nodes: the files by which they know this one, the addresses at which it looks for them, and
// what the running router says of them.
func (c *checker) cluster(r *report) {
	if !c.Config.Cluster.On() {
		return
	}
	c.clusterFiles(r)
	c.clusterAddresses(r)
	if c.pages().ours {
		c.clusterNodes(r)
	}
}

// clusterFiles looks at secrets and certificates.
func (c *checker) clusterFiles(r *report) {
	set := c.Config.Cluster
	named := 0
	for _, path := range []*string{&set.SecretFile, &set.PasswordFile, &set.NKeyFile, &set.CredsFile, &set.TLSCertificate, &set.TLSKey, &set.TLSCA} {
		if *path != "" {
			*path = c.Machine.path(*path)
			named++
		}
	}
	uid, _ := c.routerUser()
	switch err := system.CheckClusterFiles(&set, uid); {
	case err == nil && named == 0: // there are none
	case err == nil:
		r.ok(ClusterFiles, "the router can use the %d files of cluster.*", named)
	case denied(err) && !c.Machine.root():
		r.note(ClusterFiles, c.asRoot(), "this user may not read all files of cluster.*: %v", err)
	default:
		r.fail(ClusterFiles, "mend the file that is named: it must belong to "+userName(uid)+" or root, and a secret must have mode 0600 or 0640; docs/cluster.md has the rest", "%v", err)
	}
}

// clusterAddresses connects to the addresses of other nodes or of NATS.
func (c *checker) clusterAddresses(r *report) {
	set := &c.Config.Cluster
	addresses := natsAddresses(set)
	failed := make([]error, len(addresses))
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() {
			ctx, cancel := c.deadline()
			defer cancel()
			conn, err := c.Machine.Dial(ctx, "tcp", address)
			if err == nil {
				err = conn.Close()
			}
			failed[i] = err
		})
	}
	all.Wait()
	who, setting := "strowger", "cluster.routes"
	if len(set.NATS) > 0 {
		who, setting = "NATS", "cluster.nats"
	}
	for i, address := range addresses {
		if failed[i] == nil {
			r.ok(ClusterAddress, "%s takes connections", address)
			continue
		}
		_, port, _ := net.SplitHostPort(address)
		r.warn(ClusterAddress, "start "+who+" there, or let this machine through to its TCP port "+port+"; until then this node does without", "%s (%s) cannot be reached: %v", address, setting, failed[i])
	}
}

// natsAddresses returns where other nodes or NATS should be, without this node.
func natsAddresses(set *config.Cluster) (addresses []string) {
	for _, text := range append(set.RouteURLs(), set.NATSURLs()...) {
		server, err := url.Parse(text)
		if err != nil {
			continue // the configuration was checked
		}
		const usual = "4222" // of NATS
		if address := net.JoinHostPort(server.Hostname(), cmp.Or(server.Port(), usual)); address != set.Listen {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// clusterNodes passes on what /cluster says.
func (c *checker) clusterNodes(r *report) {
	const look = "strowger cluster # and the log of this node and of the other one"
	var said struct {
		Clustered bool `json:"clustered"`
		Bus       struct {
			Connected bool   `json:"connected"`
			Reason    string `json:"reason"`
		} `json:"bus"`
		Nodes []struct {
			Name, Version, State, Reason string
		} `json:"nodes"`
	}
	err := c.askFor("/cluster", &said)
	switch {
	case err != nil:
		r.note(ClusterNodes, look, "the running router cannot be asked about its cluster: %v", err)
		return
	case !said.Clustered:
		r.warn(ClusterNodes, c.restartRouter(), "the running router is alone: it was started without these settings")
		return
	case said.Bus.Reason != "":
		r.warn(ClusterNodes, "see "+string(ClusterAddress)+" and "+string(ClusterFiles), "the running router is not linked with others: %s", said.Bus.Reason)
	}
	var linked []string
	for _, n := range said.Nodes {
		switch n.State {
		case "self":
		case "linked":
			linked = append(linked, n.Name+" "+n.Version)
		default:
			r.warn(ClusterNodes, look, "node %s %s is %s%s", n.Name, n.Version, n.State, because(n.Reason))
		}
	}
	if len(linked) == 0 {
		r.warn(ClusterNodes, look, "the running router is linked with no other node")
		return
	}
	r.ok(ClusterNodes, "the running router is linked with %d other nodes: %s", len(linked), strings.Join(linked, ", "))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
