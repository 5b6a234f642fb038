// Package console is the console of the admin port: a page, and behind it a service of strowger's own protocol that
// tells what the router does and acts on it. The service has a world of its own, with its own names, tokens and
// connections, so no token of the router reaches it and nothing of it is in the router's way.
package console
