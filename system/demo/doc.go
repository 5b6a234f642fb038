// Package demo is what strowger demo shows: a clock, a telephone switch that is simulated, people
// with different permissions, and faults on order or by schedule. Nothing of it is real but the
// router that carries it.
package demo
