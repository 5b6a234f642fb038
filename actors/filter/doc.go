// Package filter decides who may see which part of a service's messages. A Policy is what users
// write for a service or a class of services; Compile makes a Filter of it; a Filter sorts
// subscribers into classes and gives each class its form of a payload. All of it is pure functions
// over the raw JSON: what is kept keeps its spelling and its order.
package filter
