// Package switchsim is a simulator of FreeSWITCH's event socket, for tests and demonstrations.
//
// It is not a switch: it plays recordings that were made of a real FreeSWITCH, event by event, and
// answers api commands with what that switch answered at that time of the recording. It says so in the
// Simulator header of its first message, in its answers to "version" and "status", and in its log. It
// listens on loopback only. It can misbehave as switches and networks do: see Faults.
package switchsim
