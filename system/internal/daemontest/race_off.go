//go:build !race

package daemontest

// raceEnabled is true if this program was built with the race detector.
const raceEnabled = false
