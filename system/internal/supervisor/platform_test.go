package supervisor

import (
	"hash/fnv"
	"testing"

	"github.com/twmb/murmur3"
)

// The hash that is in use suits 32-bit platforms, whichever platform this is, and spreads ids.
func TestHashOfIDs(t *testing.T) {
	if err := checkHash(murmur3.Sum32); err != nil {
		t.Error(err)
	}
	const ids, buckets = 1 << 16, 1024
	var count [buckets]int
	for n := range ids {
		count[murmur3.Sum32([]byte("connection$"+string(rune('0'+n%64))+string(rune('0'+n/64%64))+string(rune('0'+n/4096))))%buckets]++
	}
	for bucket, n := range count {
		if n > 4*ids/buckets {
			t.Errorf("bucket %d has %d of %d ids", bucket, n, ids)
		}
	}
}

// A hash with 32 bits is found out.
func TestHashThatIsUnfit(t *testing.T) {
	whole := func(data []byte) uint32 {
		h := fnv.New32a()
		_, _ = h.Write(data)
		return h.Sum32()
	}
	if checkHash(whole) == nil {
		t.Error("no error")
	}
}
