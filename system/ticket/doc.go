// Package ticket makes and opens tickets: what an identity may, sealed with a key that only routers have. With a ticket the
// identity goes on over another connection (protocol 16). A ticket opens once. Of the tickets of one session, the use of one
// ends all that were made before it.
package ticket
