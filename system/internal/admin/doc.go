// Package admin answers what an operator and his monitoring ask over HTTP: does the process work, is
// it ready, its counters, the tree of actors and the messages nobody could take. It has the settings read anew when a
// program of this machine asks for it, and changes nothing else. It has a listener of its own, on the loopback interface
// by default, and no way to sign in: who may reach the port may read it. Options.Console has its own rules.
package admin
