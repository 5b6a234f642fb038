// Package channels keeps what a service has told pages of the switch's channels, and compares it with the switch's
// own list after each gap in the events and every minute, so that no page shows a call that has ended.
//
// A service gives a Watch each event before and after it has told pages of it, and the marks of gaps. The Watch calls
// the service back with what pages have missed. A Watch belongs to the goroutine of its service.
package channels
