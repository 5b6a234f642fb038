// Package feed is a switch for benchmarks: an event socket that plays recorded calls of a real FreeSWITCH again and
// again, each time with other UUIDs and for another domain, so that many calls are up at the same time.
package feed
