// Package event makes the payloads that FusionPBX's pages know out of events of the switch.
//
// A service forwards an event as a flat object whose keys are the names of the event's headers in lower
// case with underscores, in the order of the event, and whose values are all strings. Each service forwards the
// keys of its own list and no others.
package event
