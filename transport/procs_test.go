package transport

import (
	"fmt"
	"runtime"
	"testing"
)

// TestAsManyAsCanRun: there is a shard and a poller for each processor, and connections are spread over all.
func TestAsManyAsCanRun(t *testing.T) {
	for _, processors := range []int{1, 3, 8} {
		t.Run(fmt.Sprint(processors), func(t *testing.T) {
			before := runtime.GOMAXPROCS(processors)
			t.Cleanup(func() { runtime.GOMAXPROCS(before) })
			s := newServer(t, nil, nil)
			if n := s.Shards(); n != processors {
				t.Errorf("%d shards for %d processors", n, processors)
			}
			if n := len(s.pollers); n != processors && n != 0 {
				t.Errorf("%d pollers for %d processors", n, processors)
			}
			for range 2 * processors {
				s.login("client:news").ping("taken in")
			}
			for _, sh := range s.shards {
				if n := sh.owned(); n != 2 {
					t.Errorf("shard %d has %d connections, want 2", sh.index, n)
				}
			}
		})
	}
}

// owned is how many connections a shard has.
func (sh *shard) owned() (n int) {
	done := make(chan struct{})
	sh.during(func() {
		n = len(sh.sockets)
		close(done)
	})
	<-done
	return n
}

// severalShards has the rest of a test run with two shards at least, also on one processor.
func severalShards(t testing.TB) {
	before := runtime.GOMAXPROCS(0)
	if before < 2 {
		runtime.GOMAXPROCS(2)
		t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	}
}
