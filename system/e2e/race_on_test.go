//go:build race

package e2e

// raceEnabled tells that this test binary was built with the race detector; the daemon is then too.
const raceEnabled = true
