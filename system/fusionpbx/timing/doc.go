// Package timing has the waits of the services: a pause before the switch is asked again, and a line of calls that are
// due one after the other.
package timing
