// Package system puts the parts together: it starts the actors in order, supervises them and stops
// them in order. A System is a router as a value, for programs that have one in them; docs/embedding.md
// has a complete one.
package system
