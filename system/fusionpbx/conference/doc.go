// Package conference is what FusionPBX's services know of the switch's conferences: their names, the switch's list of
// them, and what an event says of a member.
package conference
