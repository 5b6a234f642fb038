// Package system puts the parts together: it starts the actors in order, supervises them and stops
// them in order. A System is a router as a value, for programs that contain one. docs/embedding.md
// shows a complete program.
package system
