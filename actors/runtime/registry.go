package runtime

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// registryBuckets is how many of the library's maps know the actors. Each consists of 32 small maps with locks of
// their own.
const registryBuckets = 8

// compact shrinks the table in which the library finds actors by name. As the library makes it, it has 1,024
// buckets: 66 thousand objects for the collector to look at each time, and hardly more than one actor in each small
// map, where it takes several times the room that it takes in a fuller one. It is for a system that has not begun to
// work.
func compact(system *actor.ActorSystem) {
	registry := system.ProcessRegistry
	all := registry.LocalPIDs.LocalPIDs
	if len(all) <= registryBuckets {
		return // another runtime of the system did it
	}
	small := &actor.SliceMap{LocalPIDs: slices.Clone(all[:registryBuckets])}
	for _, bucket := range all {
		if bucket.IsEmpty() {
			continue // Items begins 32 goroutines
		}
		for name, process := range bucket.Items() {
			bucket.Remove(name)
			small.GetBucket(name).Set(name, process)
		}
	}
	registry.LocalPIDs = small
}
