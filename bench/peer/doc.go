// Package peer has the servers that strowger is compared with. Each runs as a process of its own,
// with the settings under which it did best here.
package peer
