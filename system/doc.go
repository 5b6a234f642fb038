// Package system puts the parts together: it starts the actors in order, supervises them and stops
// them in order. Programs that embed strowger start here.
package system
