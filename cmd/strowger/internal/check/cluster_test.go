package check

import (
	"os"
	"strings"
	"testing"
)

// The check of a node looks at its files, connects to the others, and passes on what the running router says of them.
func TestCluster(t *testing.T) {
	b := newBench(t, alone(t), "")
	f := b.check()
	for _, name := range []Name{ClusterFiles, ClusterAddress, ClusterNodes} {
		f.without(name) // nothing is set
	}

	there, gone := listen(t).Addr().String(), freeAddress(t)
	set := &b.o.Config.Cluster
	set.Listen, set.Routes = gone, []string{there, gone}
	set.SecretFile = "/secret"
	b.check().want(ClusterFiles, Error, "cluster.secret_file", "no such file")
	secret := b.write("secret", strings.Repeat("s", 32))
	b.check().want(ClusterFiles, Error, "mode 0644", "0600 or 0640")
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	f = b.check()
	f.want(ClusterFiles, OK, "1 files")
	f.want(ClusterAddress, OK, there)
	f.without(ClusterNodes) // no router runs
	for _, one := range f.all {
		if one.Name == ClusterAddress && strings.Contains(one.What, gone) {
			t.Errorf("it looks for itself: %s", one)
		}
	}
	set.Listen = "127.0.0.1:0"
	b.check().want(ClusterAddress, Warning, gone, "cluster.routes", "start strowger there")
	set.Listen, set.Routes, set.NATS = "", nil, []string{"nats://" + gone}
	b.check().want(ClusterAddress, Warning, gone, "cluster.nats", "start NATS there")
}

func TestClusterNodes(t *testing.T) {
	b := newBench(t, alone(t), "")
	answer := b.answers("/cluster")
	b.o.Config.Cluster.Listen, b.o.Config.Cluster.Secret = "127.0.0.1:0", "0123456789abcdef"
	for _, one := range []struct {
		answer string
		state  State
		texts  []string
	}{
		{`no JSON`, Note, []string{"cannot be asked about its cluster"}},
		{`{"clustered":false,"nodes":[]}`, Warning, []string{"it was started without these settings"}},
		{`{"clustered":true,"bus":{"reason":"connection refused"},"nodes":[{"name":"a","state":"self"}]}`, Warning, []string{"not linked with others: connection refused", string(ClusterAddress)}},
		{`{"clustered":true,"bus":{"connected":true},"nodes":[{"name":"a","state":"self"}]}`, Warning, []string{"linked with no other node"}},
		{`{"clustered":true,"bus":{"connected":true},"nodes":[{"name":"a","state":"self"},{"name":"b","version":"v1","state":"refused","reason":"it speaks version 3"}]}`, Warning, []string{"node b v1 is refused: it speaks version 3"}},
		{`{"clustered":true,"bus":{"connected":true},"nodes":[{"name":"a","state":"self"},{"name":"b","version":"v1","state":"linked"},{"name":"c","version":"v2","state":"joining"}]}`, Warning, []string{"node c v2 is joining"}},
		{`{"clustered":true,"bus":{"connected":true},"nodes":[{"name":"a","state":"self"},{"name":"b","version":"v1","state":"linked"},{"name":"c","version":"v2","state":"linked"}]}`, OK, []string{"linked with 2 other nodes: b v1, c v2"}},
	} {
		*answer = one.answer
		b.check().want(ClusterNodes, one.state, one.texts...)
	}
}
