// Package supervisor is an actor that keeps other actors running: it restarts them in place, starts
// them anew after a pause that grows, gives up in order, and replaces one that hangs. It knows
// nothing of what its children do. docs/supervision.md compares it with Erlang/OTP row by row.
package supervisor
