// Package murmur3 stands in for github.com/twmb/murmur3, by a line in strowger's go.mod. The actor
// library takes Sum32 of an actor's id, makes an int of it and uses the remainder as an index. Where
// an int has 32 bits the index of every second id would be negative, so this Sum32 has only 31 bits.
// It is not MurmurHash: the library needs any hash that spreads ids.
package murmur3

// Sum32 returns a hash of data below 1<<31.
func Sum32(data []byte) uint32 {
	const offset, prime = 2166136261, 16777619 // of FNV-1a
	h := uint32(offset)
	for _, b := range data {
		h = (h ^ uint32(b)) * prime
	}
	// FNV's low bits depend on the low bits of the bytes alone, and the library's maps use those of
	// FNV again. So the high bits are mixed in.
	h ^= h >> 16
	h *= 0x9e3779b1
	h ^= h >> 15
	return h &^ (1 << 31)
}
