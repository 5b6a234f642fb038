// Package filter decides who may see which part of a service's messages. Compile makes a Filter of a
// policy.Policy. A Filter sorts subscribers into classes and gives each class its form of a payload. All of it
// is pure functions over the raw JSON: what is kept keeps its spelling and its order.
package filter
