// Package janitor is an actor that has something done again and again: files that nobody came for,
// tickets that were not used. The work itself runs on the worker pool.
package janitor
