// Package servicetest is for testing services and the homes they run in. Start runs a service in the
// test's own process, which is what an author's tests want. Run is the suite that every home of
// services has to pass: the same value behaves the same wherever it runs.
package servicetest
